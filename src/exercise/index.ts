/** What a check.ts imports: `import { defineCheck } from "one-listener/exercise"`. */
export { defineCheck, shuffled, type Check, type CheckContext } from "./suite";
export { type Running, type StartOptions, type TaskEvent } from "./attempt";
export { Missed, SolutionError } from "./failure";
export { type CheckResult, type Fate, type Story, type TestResult } from "./result";
export { Reader, readers } from "./reader";
export { listening, remains } from "./waiting";
export { atRest, msUntil, type LookOptions, type RestOptions } from "../waiting/until";
export type { GuestRights } from "../lab/host";

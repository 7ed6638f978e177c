/** What a check.ts imports: `import { defineCheck } from "one-listener/exercise"`. */
export { type Running, type StartOptions, type TaskEvent } from "./attempt";
export { clientEnds, hasReceived, otherText, wasServed, type ClientEnd } from "./client-end";
export { Missed, SolutionError } from "./failure";
export { Reader, readers, type End } from "./reader";
export { RecordedClients, type ClientsOutcome } from "./recorded-clients";
export { type CheckResult, type Fate, type Story, type TestResult } from "./result";
export { asJson, defineCheck, fieldOf, shuffled, type Check, type CheckContext } from "./suite";
export { listening, remains, remainsStory, theListener } from "./waiting";
export { atRest, msUntil, type LookOptions, type RestOptions } from "../waiting/until";
export type { GuestRights } from "../lab/host";

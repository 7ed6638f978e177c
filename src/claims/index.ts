export { type Verdict } from "./claim";
export { decide } from "./decide";
export { claims, judge, measure, type ClaimNumber, type Decision, type EvidenceOf } from "./registry";
export { measureBound as bound, type SynQueueBound } from "./syn-queue-bound";

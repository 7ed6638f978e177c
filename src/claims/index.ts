export { type Verdict } from "./claim";
export { decide } from "./decide";
export { claims, judge, measure, type ClaimNumber, type Decision, type EvidenceOf } from "./registry";
export { floodCost, type FloodCost } from "./flood-memory";
export { underFlood, type FloodOutcome, type FloodSettings, type UnderFlood } from "./under-flood";
export { measureBound as bound, type SynQueueBound } from "./syn-queue-bound";

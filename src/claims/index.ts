export { type Verdict } from "./claim";
export { decide } from "./decide";
export { claims, judge, measure, type ClaimNumber, type Decision, type EvidenceOf } from "./registry";

/**
 * decide(): the last line of a section in a notebook.
 */
import { inspect } from "node:util";
import { verdictCard } from "../plot";
import { type ClaimNumber, type Decision, type EvidenceOf, judge, measure } from "./registry";

/**
 * Decides a claim of the source text on this kernel, and shows a verdict card.
 * @param evidence what the cells above have measured; without it the claim's own experiment runs, in a Lab of its own
 * @throws ArgumentError the number is unknown, or the evidence is wrong or cannot decide: it says what to give
 * @throws LabError the claim's own experiment failed
 */
export async function decide<N extends ClaimNumber>(number: N, evidence?: EvidenceOf<N>): Promise<Decision> {
  const decision = evidence === undefined ? await measure(number) : judge(number, evidence);
  const { statement, verdict, measured, why, kernel } = decision;
  verdictCard({ number, claim: statement, verdict, measured, why, kernelFunction: kernel });
  // A notebook prints the value of a cell's last line; the card has said it all.
  return Object.defineProperty(decision, inspect.custom, { value: () => `claim ${number}: ${verdict}` });
}

/**
 * decide(): the last line of a section in a notebook.
 */
import { inspect } from "node:util";
import { verdictCard } from "../plot";
import { type ClaimNumber, type Decision, type EvidenceOf, judge, measure } from "./registry";

/**
 * Passes a verdict on a claim of the source text and shows it.
 * @param evidence what the cells above have measured; without it the claim's own experiment runs, in a Lab of its own
 * @throws ArgumentError for an unknown number, or evidence that is wrong or says too little: it says what to give
 */
export async function decide<N extends ClaimNumber>(number: N, evidence?: EvidenceOf<N>): Promise<Decision> {
  const decision = evidence === undefined ? await measure(number) : judge(number, evidence);
  const { statement, verdict, measured, why, kernel } = decision;
  verdictCard({ number, claim: statement, verdict, measured, why, kernelFunction: kernel });
  // A notebook prints the value of a cell's last line; the card has said it all.
  return Object.defineProperty(decision, inspect.custom, { value: () => `claim ${number}: ${verdict}` });
}

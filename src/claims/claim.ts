/**
 * A claim: one checkable statement of the source text, with an experiment that measures and a judge that decides.
 */
import { LabError } from "../errors";
import type { Evidence, Fields } from "./evidence";
import type { Once } from "./experiment";

/** What a judge decides, with its reasons. */
export interface Verdict {
  /**
   * "depends": it holds under some of the conditions measured and not under others. "undecided": the measurement cannot tell, because
   * the machine is busy, or the kernel lacks what the experiment needs; `why` says which.
   */
  verdict: "holds" | "false" | "depends" | "undecided";
  /** what was measured, with the numbers */
  measured: string;
  /** what the kernel did, a sentence or two */
  why: string;
  /** the kernel function that decides the matter */
  kernel: string;
}

/** One claim of the source text: its words, its experiment, and its judge. */
export interface Claim<Number extends number, F extends Fields> {
  /** as in the list of the source text's claims */
  readonly number: Number;
  /** part of the source text */
  readonly section: string;
  /** the claim in our words */
  readonly statement: string;
  /** a few words of the text itself */
  readonly quote?: string;
  /** number of the notebook where it comes up */
  readonly notebook: string;
  /** what the judge needs to know */
  readonly evidence: F;
  /** Measures on the live kernel, in Labs of its own, and closes them. @throws LabError this machine does not allow what it needs */
  experiment(once: Once): Promise<Evidence<F>>;
  /** Pure: the verdict follows from the evidence alone. @throws ArgumentError the evidence cannot decide the claim */
  judge(evidence: Evidence<F>): Verdict;
}

/**
 * What an experiment or a judge throws where the measurement can tell neither way: the machine was busy, or the kernel lacks what
 * is needed. The claim's verdict is then "undecided".
 */
export class UndecidedError extends LabError {
  /**
   * @param measured what was measured, with the numbers
   * @param why why it tells neither way, a sentence or two
   * @param kernel the kernel function that decides the matter
   */
  constructor(
    readonly measured: string,
    readonly why: string,
    readonly kernel: string,
  ) {
    super(`${measured}: undecided. ${why}`, { code: "ERR_UNDECIDED" });
  }
}

/** Gives a claim its type: TypeScript infers its number and the type of its evidence. Returns the claim unchanged. */
export function claim<Number extends number, F extends Fields>(definition: Claim<Number, F>): Claim<Number, F> {
  return definition;
}

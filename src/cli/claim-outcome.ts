import type { Decision } from "../claims/registry";

/** A claim that could not be measured, and why. */
export interface Failure {
  number: number;
  section: string;
  statement: string;
  notebook: string;
  error: { code: string; message: string; hint?: string };
}

/** What came of one claim on one kernel. */
export type Outcome = (Decision | Failure) & {
  /** ms; close to 0 where the experiment had run for an earlier claim */
  duration: number;
};

/** Marks of the verdicts, each with its word. */
export const marks = { holds: "✓ holds", false: "✗ false", depends: "≈ depends", undecided: "? undecided" };

/** The mark of a claim that could not be measured. */
export const notMeasured = "– not measured";

/** A verdict with its mark: "✓ holds", "– not measured"; of a claim that was not tried: " ". */
export function markOf(outcome: Outcome | undefined): string {
  if (outcome === undefined) return " ";
  return "error" in outcome ? notMeasured : marks[outcome.verdict];
}

/** "51 holds, 9 false, 3 not measured". */
export function tallyOf(outcomes: readonly Outcome[]): string {
  const words = [...Object.values(marks), notMeasured].flatMap((mark) => {
    const count = outcomes.filter((outcome) => markOf(outcome) === mark).length;
    return count > 0 ? [`${count} ${mark.slice(2)}`] : [];
  });
  return words.join(", ");
}

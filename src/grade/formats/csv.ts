/** The gradebook as CSV (RFC 4180). */
import { stringify } from "csv-stringify/sync";
import type { StudentResult } from "../grade";

/** One line for each student, one column for each exercise. Cells that a spreadsheet would take for a formula begin with an apostrophe. */
export function gradebookCsv(results: readonly StudentResult[]): string {
  const exercises = (results[0]?.exercises ?? []).map(({ exercise }) => exercise);
  const rows = results.map(({ student, points, max, exercises: graded, notes }) => [
    student,
    ...graded.map((each) => each.points),
    points,
    max,
    notes.join("; "),
  ]);
  return stringify([["student", ...exercises, "points", "of", "notes"], ...rows], { escape_formulas: true });
}

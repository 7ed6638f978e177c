/** Gradebooks as CSV (RFC 4180). */
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { ArgumentError } from "../../errors";
import type { StudentResult } from "../grade";

/** A line a student, a column an exercise. Cells that a spreadsheet would take for a formula are quoted with an apostrophe. */
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

export interface CanvasOptions {
  /** the gradebook as Canvas exports it: who is in the class, and Canvas's own columns */
  exported: string;
  /** title of the assignment's column: "Exercises 3 (4711)" */
  assignment: string;
}

const canvasColumns = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"];

/**
 * What Canvas imports: its own export, with the points in the assignment's column. Students are found by their login, their SIS id, their
 * id or their name; whoever handed nothing in keeps what the column held.
 * @throws ArgumentError the export is none, or a submission is nobody's
 */
export function canvasCsv(results: readonly StudentResult[], { exported, assignment }: CanvasOptions): string {
  let rows: string[][];
  try {
    rows = parse(exported, { bom: true, relax_column_count: true, skip_empty_lines: true }) as string[][];
  } catch (error) {
    throw new ArgumentError(`The export of Canvas cannot be read: ${(error as Error).message}.`);
  }
  const [header = [], ...lines] = rows;
  const missing = ["Student", "ID"].filter((name) => !header.includes(name));
  if (missing.length > 0)
    throw new ArgumentError(
      `The export of Canvas has no column ${missing.join(", ")}.`,
      "Export it in Canvas: Grades, Actions, Export Entire Gradebook.",
    );
  const at = (name: string) => header.indexOf(name);
  const column = header.findIndex((name) => name === assignment || name.replace(/ \(\d+\)$/, "") === assignment);
  const title = column >= 0 ? header[column] : assignment;
  const normal = (text: string | undefined) => (text ?? "").trim().toLowerCase();
  const found = new Set<StudentResult>();
  // "Points Possible" and the like: no students
  const isStudent = (line: string[]) =>
    line[at("ID")]?.trim() !== "" && !/^\s*points possible/i.test(line[at("Student")] ?? "");
  const students = lines.filter(isStudent);
  const owners = new Map<string[], StudentResult>();
  for (const result of results) {
    const called = students.filter((line) =>
      ["SIS Login ID", "SIS User ID", "ID", "Student"].some(
        (name) => normal(line[at(name)]) === normal(result.student),
      ),
    );
    // one student's SIS id may be another's id in Canvas
    const several = called.length > 1 || owners.has(called[0]);
    if (several)
      throw new ArgumentError(
        `${result.student} may be ${called.length > 1 ? called.map((line) => line[at("Student")]).join(" or ") : `${called[0][at("Student")]}, whom ${owners.get(called[0])!.student} names as well`}.`,
        "Name each submission by something that only one student has: SIS login, SIS id, id or name.",
      );
    if (called.length === 0) continue;
    found.add(result);
    owners.set(called[0], result);
  }
  const made = students.map((line) => {
    const result = owners.get(line);
    return [
      ...canvasColumns.map((name) => line[at(name)] ?? ""),
      result ? String(result.points) : ((column >= 0 ? line[column] : undefined) ?? ""),
    ];
  });
  const strangers = results.filter((result) => !found.has(result)).map(({ student }) => student);
  if (strangers.length > 0)
    throw new ArgumentError(
      `Nobody in Canvas's export is called ${strangers.slice(0, 10).join(", ")}${strangers.length > 10 ? ", …" : ""}.`,
      "Name submissions by SIS login, SIS id, id or name.",
    );
  return stringify([[...canvasColumns, title], ...made]);
}

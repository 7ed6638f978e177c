/** The file that Canvas imports. Source: Canvas Instructor Guide, "How do I import grades in the Gradebook?". */
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { ArgumentError } from "../../errors";
import type { StudentResult } from "../grade";

/** What Canvas's own file says, and which of its columns is meant. */
export interface CanvasOptions {
  /** the gradebook as Canvas exports it: who is in the class, and Canvas's own columns */
  exported: string;
  /** title of the assignment's column: "Exercises 3 (4711)" */
  assignment: string;
}

const canvasColumns = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"];
/** what a submission may be named after, the surest first */
const identities = ["SIS Login ID", "SIS User ID", "ID", "Student"];

/** One row of the export, by the names of its columns. */
type Row = Readonly<Record<string, string>>;

/**
 * Canvas's own export with the points in the assignment's column. Students are found by their SIS login, their SIS id, their id or
 * their name. A student without a submission keeps what the column held.
 * @throws ArgumentError the export cannot be read; a submission is no student's, or may be two students'
 */
export function canvasCsv(results: readonly StudentResult[], { exported, assignment }: CanvasOptions): string {
  const { header, students } = readExport(exported);
  const owners = ownersOf(results, students);
  const title = header.find((name) => name === assignment || name.replace(/ \(\d+\)$/, "") === assignment);
  const made = students.map((row) => {
    const result = owners.get(row);
    const before = title === undefined ? undefined : row[title];
    return [...canvasColumns.map((name) => row[name] ?? ""), result ? String(result.points) : (before ?? "")];
  });
  return stringify([[...canvasColumns, title ?? assignment], ...made]);
}

/** @throws ArgumentError no CSV, or no export of a gradebook */
function readExport(exported: string): { header: string[]; students: Row[] } {
  let lines: string[][];
  try {
    lines = parse(exported, { bom: true, relax_column_count: true, skip_empty_lines: true });
  } catch (error) {
    throw new ArgumentError(`The export of Canvas cannot be read: ${(error as Error).message}.`);
  }
  const [header = [], ...rows] = lines;
  const missing = ["Student", "ID"].filter((name) => !header.includes(name));
  if (missing.length > 0) {
    throw new ArgumentError(
      `The export of Canvas has no column ${missing.join(", ")}.`,
      "Export it in Canvas: Grades, Actions, Export Entire Gradebook.",
    );
  }
  const students = rows
    // of two columns with one name the first counts
    .map((row) => Object.fromEntries<string>(row.map((text, at) => [header[at] ?? "", text] as const).reverse()))
    // "Points Possible" and the like are rows without a student
    .filter(({ ID, Student = "" }) => ID?.trim() !== "" && !/^\s*points possible/i.test(Student));
  return { header, students };
}

/** Whose each submission is. @throws ArgumentError it is no student's, or may be two students' */
function ownersOf(results: readonly StudentResult[], students: readonly Row[]): Map<Row, StudentResult> {
  const owners = new Map<Row, StudentResult>();
  const unknown: string[] = [];
  for (const result of results) {
    const [student, ...others] = students.filter((row) =>
      identities.some((name) => normal(row[name]) === normal(result.student)),
    );
    if (!student) {
      unknown.push(result.student);
      continue;
    }
    // one student's SIS id may be another's id in Canvas
    const before = owners.get(student);
    if (others.length > 0 || before) {
      const which = before
        ? `${student.Student}, whom ${before.student} names as well`
        : [student, ...others].map((row) => row.Student).join(" or ");
      throw new ArgumentError(
        `${result.student} may be ${which}.`,
        "Name each submission by something that only one student has: SIS login, SIS id, id or name.",
      );
    }
    owners.set(student, result);
  }
  if (unknown.length > 0) {
    const more = unknown.length > 10 ? ", …" : "";
    throw new ArgumentError(
      `Canvas's export has no student named ${unknown.slice(0, 10).join(", ")}${more}.`,
      "Name submissions by SIS login, SIS id, id or name.",
    );
  }
  return owners;
}

function normal(text: string | undefined): string {
  return (text ?? "").trim().toLowerCase();
}

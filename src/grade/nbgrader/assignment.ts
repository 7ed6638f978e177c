/** Exercises as an nbgrader assignment: notebooks as data, one for the instructor and one for the students. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { ArgumentError } from "../../errors";
import { type Exercise, sourceOf } from "../../exercise/exercise";

/** With the solutions, or with the starters in their place. */
export type Version = "instructor" | "student";

/** nbgrader's metadata of a cell, schema version 3; nbgrader knows no other keys. */
export interface NbgraderMetadata {
  schema_version: 3;
  grade: boolean;
  locked: boolean;
  solution: boolean;
  task: boolean;
  grade_id: string;
  cell_type: "code";
  /** with grade only */
  points?: number;
  /** by which nbgrader sees that a cell was changed, or never filled in */
  checksum?: string;
}

export interface CellMetadata {
  nbgrader?: NbgraderMetadata;
  /** `starter`: what stands in the place of the solution when `nbgrader generate_assignment` is run */
  one_listener?: { exercise: string; starter: string };
  tags?: string[];
  deletable?: false;
  editable?: false;
}

export interface NotebookCell {
  cell_type: "markdown" | "code";
  id: string;
  metadata: CellMetadata;
  source: string[];
  execution_count?: null;
  outputs?: never[];
}

export interface Notebook {
  cells: NotebookCell[];
  metadata: object;
  nbformat: 4;
  nbformat_minor: 5;
}

const difficulties = ["warm-up", "medium", "hard"];

/**
 * The notebook of an assignment. The student's version is what `nbgrader generate_assignment` makes of the instructor's; the same exercises
 * give the same notebook, cell ids included.
 * @throws ArgumentError an exercise lacks its starter or its solution
 */
export function assignmentNotebook(title: string, exercises: readonly Exercise[], version: Version): Notebook {
  return {
    cells: [
      markdown(
        "one-listener-title",
        `# ${title}\n\nWrite each function in its own cell, run that cell, then the check below it. What counts is what the kernel saw.`,
      ),
      code("one-listener-import", 'import { check } from "one-listener";', {}),
      ...exercises.flatMap((exercise) => cellsOf(exercise, version)),
    ],
    metadata: {
      kernelspec: { display_name: "TypeScript (tslab)", language: "typescript", name: "tslab" },
      language_info: { file_extension: ".ts", mimetype: "text/typescript", name: "typescript" },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
}

function cellsOf(exercise: Exercise, version: Version): NotebookCell[] {
  const { name, title, points, difficulty, statement, functionName } = exercise;
  const starter = asCell(exercise, "starter.ts");
  const solution = asCell(exercise, "solution.ts");
  const forStudents = version === "student";
  const common = { schema_version: 3, task: false, cell_type: "code" } as const;
  const answer: NbgraderMetadata = { ...common, grade: false, locked: false, solution: true, grade_id: name };
  const check: NbgraderMetadata = {
    ...common,
    grade: true,
    locked: true,
    solution: false,
    points,
    grade_id: `${name}-check`,
  };
  const answerText = forStudents ? starter : solution;
  const checkText = `await check("${name}", ${functionName});`;
  return [
    markdown(`${name}-statement`, `## ${title}\n\n*${points} points, ${difficulties[difficulty - 1]}*\n\n${statement}`),
    code(name, answerText, {
      nbgrader: forStudents ? { ...answer, checksum: checksum(answerText, answer) } : answer,
      one_listener: { exercise: name, starter },
      tags: [`exercise:${name}`],
      ...(forStudents && { deletable: false }),
    }),
    code(`${name}-check`, checkText, {
      nbgrader: forStudents ? { ...check, checksum: checksum(checkText, check) } : check,
      ...(forStudents && { deletable: false, editable: false }),
    }),
  ];
}

/** A file of the exercise as a cell: without exports, which cells have no use for. */
function asCell(exercise: Exercise, file: string): string {
  if (!existsSync(path.join(exercise.folder, file)))
    throw new ArgumentError(
      `exercises/${exercise.name} has no ${file}.`,
      `npx one-listener exercise verify ${exercise.name} says what else is missing.`,
    );
  return sourceOf(exercise, file)
    .replace(/^export /gm, "")
    .trim();
}

/** nbgrader.utils.compute_checksum() */
function checksum(
  source: string,
  { grade, solution, locked, grade_id: id, points = 0, cell_type: type }: NbgraderMetadata,
): string {
  const python = (truth: boolean) => (truth ? "True" : "False");
  const score = Number.isInteger(points) ? `${points}.0` : String(points);
  return createHash("md5")
    .update([source, type, python(grade), python(solution), python(locked), id, ...(grade ? [score] : [])].join(""))
    .digest("hex");
}

function markdown(id: string, source: string): NotebookCell {
  return { cell_type: "markdown", id, metadata: {}, source: lines(source) };
}

function code(id: string, source: string, metadata: CellMetadata): NotebookCell {
  return { cell_type: "code", execution_count: null, id, metadata, outputs: [], source: lines(source) };
}

/** As notebooks keep their text: a string a line, each with its line feed but the last. */
function lines(text: string): string[] {
  return text.split(/(?<=\n)/);
}

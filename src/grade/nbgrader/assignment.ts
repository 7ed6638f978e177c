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
  /** version of this format */
  schema_version: 3;
  /** whether the cell carries points: here, the cell with the check */
  grade: boolean;
  /** whether nbgrader restores the cell from the release before it grades */
  locked: boolean;
  /** whether the student writes in the cell */
  solution: boolean;
  /** always false: there are no cells that an instructor grades by hand */
  task: boolean;
  /** a name of its own within the notebook */
  grade_id: string;
  /** only code carries points or solutions here */
  cell_type: "code";
  /** points of the cell; only with `grade` */
  points?: number;
  /** MD5 of the cell; nbgrader compares it to see whether the cell was changed */
  checksum?: string;
}

/** The metadata of a cell in an assignment. */
export interface CellMetadata {
  /** only cells that nbgrader knows have it */
  nbgrader?: NbgraderMetadata;
  /** `starter`: what stands in the place of the solution when `nbgrader generate_assignment` is run */
  one_listener?: { exercise: string; starter: string };
  /** "exercise:NAME", by which the grader finds the solution */
  tags?: string[];
  /** false: JupyterLab does not delete the cell */
  deletable?: false;
  /** false: JupyterLab does not let the reader change the cell */
  editable?: false;
}

/** A cell. Source: nbformat.readthedocs.io, version 4.5. */
export interface NotebookCell {
  /** text or code */
  cell_type: "markdown" | "code";
  /** the same for the same exercises, whenever the notebook is made */
  id: string;
  /** for nbgrader, for the grader, and for JupyterLab */
  metadata: CellMetadata;
  /** its lines, each with its newline except the last */
  source: string[];
  /** null: the cell was not run. Only code has it */
  execution_count?: null;
  /** empty: the cell was not run. Only code has it */
  outputs?: never[];
}

/** A notebook as JSON. Source: nbformat.readthedocs.io, version 4.5. */
export interface Notebook {
  /** from top to bottom */
  cells: NotebookCell[];
  /** the Jupyter kernel and its language */
  metadata: object;
  /** version of the format */
  nbformat: 4;
  /** 5: cells have ids */
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

/** The text of a cell as notebooks store it: one string for each line, with its newline except for the last. */
function lines(text: string): string[] {
  return text.split(/(?<=\n)/);
}

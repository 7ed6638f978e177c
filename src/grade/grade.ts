/** Grades a class: every exercise of every submission, several at the same time. Each result is stored as soon as its check has ended. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { writeWholeSync } from "../files/whole";
import { ArgumentError, LabError } from "../errors";
import { defaultBounds } from "../exercise/bounds";
import { allExercises, type Exercise, loadExercise, programsOf } from "../exercise/exercise";
import type { CheckResult } from "../exercise/result";
import { Pool } from "./pool";
import { requireSandbox } from "./sandbox";
import { readSubmissions } from "./reading";
import { findPlaces, type Submission, whyMissing } from "./submission";

/** One exercise of one student. */
export interface Graded extends CheckResult {
  /** where the solution was found; undefined: nowhere */
  where?: string;
}

/** A whole submission. */
export interface StudentResult {
  /** name of the file or folder, made fit for file names */
  student: string;
  /** points earned, the sum over the exercises */
  points: number;
  /** points that could be earned, the sum over the exercises */
  max: number;
  /** in the same order for each student */
  exercises: Graded[];
  /** sentences about the submission: files that could not be read, exercises that are in it twice */
  notes: readonly string[];
}

/** How a class is graded. */
export interface GradeOptions {
  /** the folder for results */
  out: string;
  /** names; default: all exercises that at least one submission has a solution of */
  exercises?: readonly string[];
  /** all paths are submissions of this student */
  student?: string;
  /** checks at the same time; default: the number of CPUs */
  jobs?: number;
  /** go on from the results in `out`; default false */
  resume?: boolean;
  /** runs of a solution that misses a test, 1 to 10; the best counts. Default 2 */
  tries?: number;
  /** ms that a solution's process may live; default 30,000 */
  time?: number;
  /** called after each exercise of each submission */
  onProgress?: (progress: Progress) => void;
}

/** How far a run is. */
export interface Progress {
  /** exercises of submissions that are graded */
  done: number;
  /** exercises of submissions in total */
  of: number;
  /** how many of `done` come from an earlier run */
  resumed: number;
  /** ms until the end, estimated; NaN until the first check has ended */
  left: number;
  /** the one done last: "student: exercise" */
  what: string;
}

/**
 * Grades all submissions. All arguments are checked before the first check starts. SIGINT and SIGTERM stop it; what is graded is kept.
 * @param paths files and folders, see findPlaces()
 * @returns one result for each student, in the order of the paths
 * @throws ArgumentError a path, an exercise or an option is wrong, or `out` holds the results of another run
 * @throws LabError this machine has no sandbox; ERR_INTERRUPTED: it was stopped
 */
export async function grade(
  paths: readonly string[],
  {
    out,
    exercises: names,
    student,
    jobs = availableParallelism(),
    resume = false,
    tries = 2,
    time = defaultBounds.time,
    onProgress,
  }: GradeOptions,
): Promise<StudentResult[]> {
  const places = findPlaces(paths, student);
  const given = names?.map(loadExercise);
  requireSandbox();
  const store = new Store(out, resume);
  const submissions = await readSubmissions(places, (done) =>
    onProgress?.({ done: 0, of: places.length, resumed: 0, left: NaN, what: `reading ${done} of ${places.length}` }),
  );
  const exercises =
    given ?? allExercises().filter(({ name }) => submissions.some(({ solutions }) => solutions.has(name)));
  if (exercises.length === 0)
    throw new ArgumentError(
      "No submission has a solution of any exercise.",
      `Say which with --exercises, and every student gets 0 points. ${submissions
        .flatMap((each) => each.notes.map((note) => `${each.student}: ${note}`))
        .slice(0, 5)
        .join("; ")}`,
    );

  const pool = new Pool(jobs);
  const interrupted = () => pool.close();
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    const report = reporter(submissions.length * exercises.length, onProgress);
    return await Promise.all(
      submissions.map(async (submission) => {
        const graded = exercises.map(async (exercise) => {
          const kept = store.find(submission, exercise);
          const result = kept ?? (await gradeOne(pool, submission, exercise, { tries, time }));
          if (!kept) store.keep(submission, exercise, result);
          report(`${submission.student}: ${exercise.name}`, kept !== undefined);
          return result;
        });
        return resultOf(submission, await Promise.all(graded));
      }),
    );
  } finally {
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
    pool.close();
  }
}

/** Counts what is done, and estimates the time left from what was graded in this run. */
function reporter(of: number, onProgress: GradeOptions["onProgress"]): (what: string, resumed: boolean) => void {
  const started = Date.now();
  let done = 0;
  let resumed = 0;
  return (what, wasKept) => {
    done++;
    if (wasKept) resumed++;
    const fresh = done - resumed;
    const left = fresh > 0 ? ((Date.now() - started) / fresh) * (of - done) : NaN;
    onProgress?.({ done, of, resumed, left, what });
  };
}

function resultOf({ student, notes }: Submission, exercises: Graded[]): StudentResult {
  const points = exercises.reduce((sum, each) => sum + each.points, 0);
  const max = exercises.reduce((sum, each) => sum + each.max, 0);
  return { student, exercises, notes, points, max };
}

async function gradeOne(
  pool: Pool,
  submission: Submission,
  exercise: Exercise,
  limits: { tries: number; time: number },
): Promise<Graded> {
  const solution = submission.solutions.get(exercise.name);
  const nothing = {
    exercise: exercise.name,
    title: exercise.title,
    notebook: exercise.notebook,
    points: 0,
    max: exercise.points,
    tests: [],
    figures: [],
    output: "",
    duration: 0,
  };
  if (!solution) return { ...nothing, fate: "missing", message: whyMissing(submission, exercise) };
  const { result, failure } = await pool.run({ exercise: exercise.name, solution, ...limits });
  if (failure === "the grader was stopped")
    throw new LabError("Stopped.", { code: "ERR_INTERRUPTED", hint: "Go on with --resume: what is graded is kept." });
  if (!result)
    return {
      ...nothing,
      where: solution.where,
      fate: "stopped",
      message: `The check could not be carried out: ${failure}`,
    };
  return { ...result, where: solution.where };
}

/** Results on disk: one file for each student and exercise, written as soon as it is known, found again if solution and exercise are the same. */
class Store {
  private readonly folder: string;

  constructor(out: string, resume: boolean) {
    this.folder = path.join(out, "results");
    if (!resume && existsSync(this.folder) && readdirSync(this.folder).length > 0) {
      throw new ArgumentError(
        `${out} holds the results of an earlier run.`,
        "Go on with it: --resume. Or choose another folder with --out.",
      );
    }
    try {
      // one by one: with `recursive` node never comes back from places such as /proc, where nothing can be made
      for (const folder of [path.dirname(path.resolve(out)), out, this.folder])
        if (!existsSync(folder)) mkdirSync(folder);
    } catch (error) {
      throw new ArgumentError(
        `${out} cannot be written: ${(error as Error).message}.`,
        "Choose another folder with --out.",
      );
    }
  }

  find(submission: Submission, exercise: Exercise): Graded | undefined {
    try {
      const { key, result } = JSON.parse(readFileSync(this.file(submission, exercise), "utf8")) as {
        key: string;
        result: Graded;
      };
      return key === keyOf(submission, exercise) && result.fate !== "stopped" ? result : undefined;
    } catch {
      return undefined;
    }
  }

  keep(submission: Submission, exercise: Exercise, result: Graded): void {
    const file = this.file(submission, exercise);
    mkdirSync(path.dirname(file), { recursive: true });
    writeWholeSync(file, JSON.stringify({ key: keyOf(submission, exercise), result }));
  }

  private file({ student }: Submission, { name }: Exercise): string {
    return path.join(this.folder, student, `${name}.json`);
  }
}

function keyOf({ solutions }: Submission, exercise: Exercise): string {
  const { source = "", imports = [] } = solutions.get(exercise.name) ?? {};
  const hash = createHash("sha256").update(JSON.stringify([source, imports]));
  for (const file of ["exercise.md", "check.ts", ...programsOf(exercise)])
    hash.update(readFileSync(path.join(exercise.folder, file)));
  return hash.digest("hex");
}

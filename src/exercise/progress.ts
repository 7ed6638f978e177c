/** How far a student has come: a file beside the notebooks, with one entry for each exercise. */
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { writeWholeSync } from "../files/whole";
import type { Exercise } from "./exercise";
import type { CheckResult } from "./result";

/** How far a student has come in one exercise. */
export interface Standing {
  /** points of the best attempt so far */
  points: number;
  /** points that can be earned */
  max: number;
  /** how many checks were run */
  attempts: number;
  /** hints that were shown */
  hints: number;
}

/** environment variable: the folder to use in place of the notebooks' folder, for runs that are not a student's */
const elsewhere = "ONE_LISTENER_PROGRESS";

/** Standings by the names of the exercises. */
export type Standings = Partial<Record<string, Standing>>;

function fileIn(folder: string): string {
  return path.join(process.env[elsewhere] ?? folder, ".one-listener", "progress.json");
}

/** All standings; none if the file does not exist or is damaged. @param folder of the notebooks */
export function readProgress(folder = process.cwd()): Standings {
  try {
    const read = JSON.parse(readFileSync(fileIn(folder), "utf8")) as { exercises?: Standings };
    return read.exercises && typeof read.exercises === "object" ? read.exercises : {};
  } catch {
    return {};
  }
}

function change(name: string, by: (standing: Standing) => Standing, folder: string): Standing {
  const all = readProgress(folder);
  const standing = by(all[name] ?? { points: 0, max: 0, attempts: 0, hints: 0 });
  const file = fileIn(folder);
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeWholeSync(file, `${JSON.stringify({ version: 1, exercises: { ...all, [name]: standing } }, null, 2)}\n`);
  } catch {
    // in a folder that cannot be written no progress is kept; the check's result is the same
  }
  return standing;
}

/** Counts an attempt, and keeps the best points. @param folder of the notebooks @returns the new standing */
export function noteAttempt({ exercise, points, max }: CheckResult, folder = process.cwd()): Standing {
  return change(
    exercise,
    (old) => ({ ...old, points: Math.max(old.points, points), max, attempts: old.attempts + 1 }),
    folder,
  );
}

/** A hint to be shown. */
export interface Hint {
  /** "Hint 2 of 3", or that the exercise has none */
  head: string;
  /** the hint, in Markdown */
  text: string;
}

/** The next hint, which is noted in the standing; after the last one, the last one again. @param folder of the notebooks */
export function nextHint({ name, hints }: Exercise, folder = process.cwd()): Hint {
  if (hints.length === 0) return { head: "This exercise has no hints", text: "" };
  const { hints: shown } = change(name, (old) => ({ ...old, hints: Math.min(hints.length, old.hints + 1) }), folder);
  return { head: `Hint ${shown} of ${hints.length}`, text: hints[shown - 1] ?? "" };
}

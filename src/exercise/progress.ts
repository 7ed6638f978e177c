/** How far a student has come: kept beside the notebooks, one entry an exercise. */
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { writeWholeSync } from "../files/whole";
import type { Exercise } from "./exercise";
import type { CheckResult } from "./result";

export interface Standing {
  /** the best so far */
  points: number;
  max: number;
  attempts: number;
  /** hints that were shown */
  hints: number;
}

/** environment variable: a folder that takes the place of the notebooks' own, for runs that are no student's */
const elsewhere = "ONE_LISTENER_PROGRESS";

type Standings = Record<string, Standing>;

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
    // a folder that cannot be written keeps no progress; the check itself is none the worse
  }
  return standing;
}

export function noteAttempt({ exercise, points, max }: CheckResult, folder = process.cwd()): Standing {
  return change(
    exercise,
    (old) => ({ ...old, points: Math.max(old.points, points), max, attempts: old.attempts + 1 }),
    folder,
  );
}

export interface Hint {
  /** "Hint 2 of 3", or that there is none */
  head: string;
  text: string;
}

/** One hint more, and noted; the last one stays. */
export function nextHint({ name, hints }: Exercise, folder = process.cwd()): Hint {
  if (hints.length === 0) return { head: "This exercise has no hints", text: "" };
  const { hints: shown } = change(name, (old) => ({ ...old, hints: Math.min(hints.length, old.hints + 1) }), folder);
  return { head: `Hint ${shown} of ${hints.length}`, text: hints[shown - 1] };
}

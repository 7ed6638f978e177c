/** The files that students write in: answers/NAME.ts, copied from the starters. */
import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import path from "node:path";
import type { Exercise } from "./exercise";

/** The folder of these files, below the current folder. */
export const answersFolder = "answers";

/** The absolute path of answers/NAME.ts below the current folder. */
export function answerFile({ name }: Exercise): string {
  return path.resolve(answersFolder, `${name}.ts`);
}

/** Copies the starter to `file`, unless `file` exists. @returns whether it was copied @throws Error of the file system */
export function begin(exercise: Exercise, file = answerFile(exercise)): boolean {
  if (existsSync(file)) return false;
  mkdirSync(path.dirname(file), { recursive: true });
  copyFileSync(path.join(exercise.folder, "starter.ts"), file);
  return true;
}

/**
 * Copies the starter to `file` again. If `file` exists, it is kept as NAME.before-1.ts, or with the next number that is free.
 * @returns the path of the kept file; undefined if there was none
 * @throws Error of the file system
 */
export function reset(exercise: Exercise, file = answerFile(exercise)): string | undefined {
  let kept: string | undefined;
  if (existsSync(file)) {
    for (let copy = 1; ; copy++) {
      kept = file.replace(/\.ts$/, `.before-${copy}.ts`);
      if (!existsSync(kept)) break;
    }
    renameSync(file, kept);
  }
  begin(exercise, file);
  return kept;
}

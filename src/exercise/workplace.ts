/** A student's own copies of the starters: answers/NAME.ts. */
import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import path from "node:path";
import type { Exercise } from "./exercise";

export const answersFolder = "answers";

/** answers/NAME.ts below the current folder */
export function answerFile({ name }: Exercise): string {
  return path.resolve(answersFolder, `${name}.ts`);
}

/** Puts the starter there, unless there is a file already. @returns whether it was put there */
export function begin(exercise: Exercise, file = answerFile(exercise)): boolean {
  if (existsSync(file)) return false;
  mkdirSync(path.dirname(file), { recursive: true });
  copyFileSync(path.join(exercise.folder, "starter.ts"), file);
  return true;
}

/** The starter again; what was written is kept beside it. @returns where, if there was something */
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

/** A new exercise: a copy of exercises/template, with the name of the student's function put in. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ArgumentError } from "../errors";
import { exercisesFolder, functionNameOf, templateName } from "./exercise";

/** how the files of the template name the student's function */
const placeholder = /\byourFunction\b/g;

/**
 * Makes exercises/NAME with every file that an exercise needs. What is made passes `exercise verify`, and `npm run check` as long as
 * the function's name has at most 22 characters; with a longer one Prettier breaks a line.
 * @param name of the exercise, and of its folder: "find-the-backlog"
 * @returns absolute path of the folder
 * @throws ArgumentError the name has other characters than small letters, digits and hyphens, or the folder exists
 * @throws Error of the file system: exercises/ cannot be written
 */
export function newExercise(name: string): string {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new ArgumentError(
      `"${name}" cannot be the name of an exercise.`,
      "Small letters, digits and hyphens: find-the-backlog.",
    );
  const folder = path.join(exercisesFolder, name);
  if (existsSync(folder)) throw new ArgumentError(`There is an exercise "${name}" already.`, "Choose another name.");
  const template = path.join(exercisesFolder, templateName);
  mkdirSync(folder);
  for (const file of readdirSync(template)) {
    const text = readFileSync(path.join(template, file), "utf8");
    writeFileSync(path.join(folder, file), text.replace(placeholder, functionNameOf(name)));
  }
  return folder;
}

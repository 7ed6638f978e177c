/** Writes an assignment into the folder of an nbgrader course, with a config that lets our grader do the grading. */
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { ArgumentError } from "../../errors";
import { writeWholeSync } from "../../files/whole";
import type { Exercise } from "../../exercise/exercise";
import { assignmentNotebook, type Notebook } from "./assignment";

const root = path.join(__dirname, "..", "..", "..");
const templates = path.join(root, "setup", "nbgrader");
const configName = "nbgrader_config.py";
const moduleName = "one_listener_nbgrader.py";
const commandLine = /^command = .*$/m;

/** The files of a released assignment, paths that begin with the folder of the course. */
export interface ReleasedFiles {
  /** the notebook of the instructor, with the solutions */
  source: string;
  /** the notebook of the students, with the starters */
  release: string;
  /** nbgrader_config.py */
  config: string;
  /** one_listener_nbgrader.py, which the config loads */
  module: string;
}

/**
 * Writes source/NAME/NAME.ipynb, release/NAME/NAME.ipynb and nbgrader's config. Everything is checked before anything is written. A config
 * that is there already and loads our module keeps what an instructor added: only the path of the grader is brought up to date.
 * @throws ArgumentError a name that nbgrader cannot take, an assignment that is there already, a config of the instructor's own
 */
export function releaseAssignment(name: string, exercises: readonly Exercise[], out: string): ReleasedFiles {
  if (!/^[A-Za-z0-9][\w-]{0,63}$/.test(name))
    throw new ArgumentError(
      `"${name}" is no name for an assignment.`,
      "It names folders and files: letters, digits, _ and -, 64 at most, a letter or digit first.",
    );
  if (exercises.length === 0) throw new ArgumentError("There is no exercise to release.");
  const twice = exercises.find((exercise, at) => exercises.findIndex((each) => each.name === exercise.name) < at);
  if (twice) throw new ArgumentError(`${twice.name} is named twice.`);
  if (existsSync(out) && !statSync(out).isDirectory())
    throw new ArgumentError(`${out} is a file.`, "Name the course's folder with --out.");
  const folders = { source: path.join(out, "source", name), release: path.join(out, "release", name) };
  const taken = Object.values(folders).find((folder) => existsSync(folder));
  if (taken)
    throw new ArgumentError(
      `${taken} is there already.`,
      "Choose another --assignment, or remove that assignment's folders in source/ and release/ first.",
    );
  const files = {
    source: path.join(folders.source, `${name}.ipynb`),
    release: path.join(folders.release, `${name}.ipynb`),
    config: path.join(out, configName),
    module: path.join(out, moduleName),
  };
  const config = configText(files.config);
  const notebooks = {
    source: assignmentNotebook(name, exercises, "instructor"),
    release: assignmentNotebook(name, exercises, "student"),
  };

  try {
    for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
    for (const version of ["source", "release"] as const)
      writeWholeSync(files[version], notebookText(notebooks[version]));
    writeWholeSync(files.config, config);
    writeWholeSync(files.module, readFileSync(path.join(templates, moduleName)));
  } catch (error) {
    throw new ArgumentError(
      `${out} cannot be written: ${(error as Error).message}.`,
      "Choose another folder with --out.",
    );
  }
  return files;
}

/** As Jupyter writes it. */
export function notebookText(notebook: Notebook): string {
  return `${JSON.stringify(notebook, null, 1)}\n`;
}

function configText(file: string): string {
  // a JSON array of strings is a Python list, too
  const command = `command = ${JSON.stringify([process.execPath, path.join(root, "dist", "cli", "main.js")])}`;
  const template = readFileSync(path.join(templates, configName), "utf8");
  if (!existsSync(file)) return template.replace(commandLine, () => command);
  const present = readFileSync(file, "utf8");
  if (present.includes("one_listener_nbgrader.configure") && commandLine.test(present))
    return present.replace(commandLine, () => command);
  throw new ArgumentError(
    `${file} is a config of your own; without ours, nbgrader would run student code beside the gradebook.`,
    `Add these lines to it, then release again:\n\n${template.replace(commandLine, () => command)}`,
  );
}

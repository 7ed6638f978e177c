/** Exercises as data: each is a folder with its text, starter, solutions and check. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ArgumentError, LabError } from "../errors";
import type { Check } from "./suite";

const root = path.join(__dirname, "..", "..");
/** Absolute path of exercises/, which has a folder for each exercise. */
export const exercisesFolder = path.join(root, "exercises");
const compiled = path.join(root, ".build", "exercises");
/** The folder in exercises/ that new exercises are copied from. It is none itself. */
export const templateName = "template";

/** One exercise. */
export interface Exercise {
  /** name of its folder: "fast-accept" */
  name: string;
  /** the first line of exercise.md: "Fast accept" */
  title: string;
  /** number of the notebook that it belongs to: "05" */
  notebook: string;
  /** what exercise.md says; `exercise verify` compares it with the sum over the tests of the check */
  points: number;
  /** the word in exercise.md: warm-up, medium or hard */
  difficulty: Difficulty;
  /** name of the function that the student writes: the exercise's name in camel case */
  functionName: string;
  /** what the student is asked for, in Markdown */
  statement: string;
  /** from soft to strong */
  hints: readonly string[];
  /** absolute path */
  folder: string;
}

/** How hard an exercise is: 1 warm-up, 2 medium, 3 hard. */
export type Difficulty = 1 | 2 | 3;

/** The words for it in exercise.md. "middling" was the word for medium in earlier versions. */
const difficulties = new Map<string, Difficulty>([
  ["warm-up", 1],
  ["medium", 2],
  ["middling", 2],
  ["hard", 3],
]);

/** "fastAccept" for "fast-accept". */
export function functionNameOf(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The names of all exercises: the folders in exercises/ that have an exercise.md, without the template, in alphabetical order. */
export function exerciseNames(): string[] {
  if (!existsSync(exercisesFolder)) return [];
  return readdirSync(exercisesFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(path.join(exercisesFolder, entry.name, "exercise.md")))
    .map(({ name }) => name)
    .filter((name) => name !== templateName)
    .sort();
}

/** All exercises, in the order of the notebooks; of one notebook, the easy ones first. @throws ArgumentError an exercise.md is not as it must be */
export function allExercises(): Exercise[] {
  return exerciseNames()
    .map(loadExercise)
    .sort(
      (a, b) => a.notebook.localeCompare(b.notebook) || a.difficulty - b.difficulty || a.name.localeCompare(b.name),
    );
}

/** @throws ArgumentError there is no such exercise, or its exercise.md is not as it must be */
export function loadExercise(name: string): Exercise {
  const folder = path.join(exercisesFolder, name);
  const file = path.join(folder, "exercise.md");
  if (!/^[a-z][a-z0-9-]*$/.test(name) || name === templateName || !existsSync(file)) {
    throw new ArgumentError(`There is no exercise "${name}".`, `There are: ${exerciseNames().join(", ")}.`);
  }
  return parseExercise(name, readFileSync(file, "utf8"), folder);
}

/**
 * Takes the text of an exercise.md apart: a title (`# …`), a line of facts (`notebook 05 · 5 points · medium`), the statement, and a
 * numbered list under `## Hints`.
 * @param folder of the exercise
 * @throws ArgumentError says what is missing
 */
export function parseExercise(name: string, markdown: string, folder: string): Exercise {
  const wrong = (what: string) => new ArgumentError(`exercises/${name}/exercise.md: ${what}.`);
  const title = /^# (.+)$/m.exec(markdown)?.[1];
  if (title === undefined) throw wrong("it has no title (# …)");
  const facts = /^notebook (?<notebook>\d\d) · (?<points>\d+) points? · (?<word>[a-z-]+)$/m.exec(markdown);
  const { notebook, points, word } = facts?.groups ?? {};
  const difficulty = difficulties.get(word ?? "");
  if (!facts || notebook === undefined || difficulty === undefined)
    throw wrong('a line like "notebook 05 · 5 points · medium" is missing (warm-up, medium or hard)');
  const [statement = "", list = ""] = markdown.slice(facts.index + facts[0].length).split(/^## Hints$/m);
  const hints = list
    .split(/^\d+\. /m)
    .slice(1)
    .map((hint) => hint.trim());
  return {
    name,
    title,
    notebook,
    points: Number(points),
    difficulty,
    functionName: functionNameOf(name),
    statement: statement.trim(),
    hints,
    folder,
  };
}

/** The text of a file of an exercise. @param file "starter.ts", "solution.ts" @throws Error ENOENT */
export function sourceOf(exercise: Exercise, file: string): string {
  return readFileSync(path.join(exercise.folder, file), "utf8");
}

/** The wrong solutions that are kept beside it, each a typical misconception: { name: "no-backlog", file: "wrong-no-backlog.ts" }. */
export function wrongSolutions(exercise: Exercise): { name: string; file: string }[] {
  return readdirSync(exercise.folder).flatMap((file) => {
    const name = /^wrong-([\w-]+)\.ts$/.exec(file)?.[1];
    return name ? [{ name, file }] : [];
  });
}

/** The programs that the check of an exercise starts: paths from its folder, "programs/keeping_server.py". Usually none. */
export function programsOf({ folder }: Exercise): string[] {
  const programs = path.join(folder, "programs");
  return existsSync(programs) ? readdirSync(programs).map((file) => `programs/${file}`) : [];
}

/** The compiled check of an exercise. @throws LabError ENOENT: it is not built */
export function loadCheck(name: string): Check {
  const file = path.join(compiled, name, "check.js");
  if (!existsSync(file))
    throw new LabError(`The check of "${name}" is not built.`, { code: "ENOENT", hint: "Run npm run build." });
  return (require(file) as { default: Check }).default;
}

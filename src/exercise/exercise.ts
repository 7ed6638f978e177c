/** Exercises as data: a folder each, with everything that belongs to it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ArgumentError, LabError } from "../errors";
import type { Check } from "./suite";

const root = path.join(__dirname, "..", "..");
/** a folder each, with everything that belongs to one exercise */
export const exercisesFolder = path.join(root, "exercises");
const compiled = path.join(root, ".build", "exercises");

export interface Exercise {
  name: string;
  title: string;
  /** number of the notebook it belongs to */
  notebook: string;
  /** sum of its check's points; verify compares */
  points: number;
  /** 1 warm-up, 2 middling, 3 hard */
  difficulty: 1 | 2 | 3;
  /** name of the function to be written: camel case of the exercise's name */
  functionName: string;
  /** Markdown */
  statement: string;
  /** from soft to strong */
  hints: readonly string[];
  folder: string;
}

const difficulties = { "warm-up": 1, middling: 2, hard: 3 } as const;

/** "fast-accept" -> "fastAccept" */
export function functionNameOf(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

export function exerciseNames(): string[] {
  if (!existsSync(exercisesFolder)) return [];
  return readdirSync(exercisesFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(path.join(exercisesFolder, entry.name, "exercise.md")))
    .map(({ name }) => name)
    .sort();
}

/** All of them, in the order of the notebooks, the easy ones first. */
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
  if (!/^[a-z][a-z0-9-]*$/.test(name) || !existsSync(file)) {
    throw new ArgumentError(`There is no exercise "${String(name)}".`, `There are: ${exerciseNames().join(", ")}.`);
  }
  return parseExercise(name, readFileSync(file, "utf8"), folder);
}

/**
 * exercise.md: a title (`# …`), a line of facts (`notebook 05 · 5 points · middling`), the statement, and under `## Hints` a numbered list.
 * @throws ArgumentError says what is missing
 */
export function parseExercise(name: string, markdown: string, folder: string): Exercise {
  const wrong = (what: string) => new ArgumentError(`exercises/${name}/exercise.md: ${what}.`);
  const title = /^# (.+)$/m.exec(markdown)?.[1];
  if (!title) throw wrong("it has no title (# …)");
  const facts = /^notebook (\d\d) · (\d+) points? · (warm-up|middling|hard)$/m.exec(markdown);
  if (!facts) throw wrong('a line like "notebook 05 · 5 points · middling" is missing');
  const [body, rest] = markdown.slice(facts.index + facts[0].length).split(/^## Hints$/m);
  const hints = (rest ?? "")
    .split(/^\d+\. /m)
    .slice(1)
    .map((hint) => hint.trim());
  return {
    name,
    title,
    notebook: facts[1],
    points: Number(facts[2]),
    difficulty: difficulties[facts[3] as keyof typeof difficulties],
    functionName: functionNameOf(name),
    statement: body.trim(),
    hints,
    folder,
  };
}

/** The text of a file of an exercise: "starter.ts", "solution.ts". */
export function sourceOf(exercise: Exercise, file: string): string {
  return readFileSync(path.join(exercise.folder, file), "utf8");
}

/** Wrong solutions kept beside it: { name: "no-backlog", file: "wrong-no-backlog.ts" }. */
export function wrongSolutions(exercise: Exercise): { name: string; file: string }[] {
  return readdirSync(exercise.folder).flatMap((file) => {
    const name = /^wrong-([\w-]+)\.ts$/.exec(file)?.[1];
    return name ? [{ name, file }] : [];
  });
}

/** @throws LabError ENOENT: it is not built */
export function loadCheck(name: string): Check {
  const file = path.join(compiled, name, "check.js");
  if (!existsSync(file))
    throw new LabError(`The check of "${name}" is not built.`, { code: "ENOENT", hint: "Run `npm run build`." });
  return (require(file) as { default: Check }).default;
}

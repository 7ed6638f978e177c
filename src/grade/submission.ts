/** What students submit: notebooks or .ts files. A file or a folder belongs to one student. */
import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { ArgumentError } from "../errors";
import { type Exercise, exerciseNames } from "../exercise/exercise";
import type { Program } from "../exercise/source";

/** One student's solution of one exercise. */
export interface Solution {
  /** TypeScript, as the student wrote it */
  source: string;
  /** imports of the notebook's other cells */
  imports: readonly string[];
  /** where it was found: "03-two-queues.ipynb, cell 12" */
  where: string;
  /** the same, compiled */
  program: Program;
}

/** All that one student has submitted. */
export interface Submission {
  /** the student: name of the file or folder, made fit for file names */
  student: string;
  /** by name of the exercise */
  solutions: ReadonlyMap<string, Solution>;
  /** sentences about it: files that could not be read, exercises that are in it twice */
  notes: readonly string[];
}

/** Where a student's submission lies. */
export interface Place {
  /** name of the file or folder, made fit for file names */
  student: string;
  /** absolute paths of files and folders */
  places: readonly string[];
}

/** The names of files that can be submissions: TypeScript and notebooks. */
export const sourceFile = /\.(ts|ipynb)$/i;

/**
 * Finds out which student each file and folder belongs to. A folder is one student's if its files are named after exercises or are
 * notebooks of the workbook (`NN-….ipynb`); otherwise each entry of it is a student's. No file is opened.
 * @param student all of it belongs to this student
 * @throws ArgumentError a path that does not exist, nothing in any of them, or a folder that may be one student's or several
 */
export function findPlaces(paths: readonly string[], student?: string): Place[] {
  const entries: { name: string; place: string }[] = [];
  for (const given of paths) {
    const place = path.resolve(given);
    const status = lstatSync(place, { throwIfNoEntry: false });
    if (!status) throw new ArgumentError(`${given} does not exist.`);
    if (!status.isDirectory() || student !== undefined || isOneStudents(place))
      entries.push({ name: path.basename(place), place });
    else
      for (const entry of readdirSync(place)
        .filter((name) => !name.startsWith("."))
        .sort())
        entries.push({ name: entry, place: path.join(place, entry) });
  }
  const submitted = entries.filter(({ name, place }) => sourceFile.test(name) || !lstatSync(place).isFile());
  if (submitted.length === 0)
    throw new ArgumentError(
      `There is no submission in ${paths.join(", ")}.`,
      "Submissions are .ipynb or .ts files, or a folder of them for each student.",
    );
  if (student !== undefined) return [{ student: fileNameOf(student), places: submitted.map(({ place }) => place) }];
  const taken = new Set<string>();
  return submitted.map(({ name, place }) => {
    const plain = fileNameOf(name.replace(sourceFile, ""));
    let own = plain;
    for (let copy = 2; taken.has(own.toLowerCase()); copy++) own = `${plain} (${copy})`;
    taken.add(own.toLowerCase());
    return { student: own, places: [place] };
  });
}

function fileNameOf(name: string): string {
  return (
    name
      .replace(/[^\p{L}\p{N}._@ -]/gu, "_")
      .replace(/^\.+/, "_")
      .slice(0, 100) || "_"
  );
}

function isOneStudents(folder: string): boolean {
  const names = new Set(exerciseNames());
  const files = readdirSync(folder).filter((file) => sourceFile.test(file));
  const own = files.filter((file) => names.has(file.replace(sourceFile, "")) || /^\d\d-[\w-]+\.ipynb$/.test(file));
  const other = files.find((file) => !own.includes(file));
  if (own[0] !== undefined && other !== undefined) {
    throw new ArgumentError(
      `Is ${folder} one student's, or a class? ${own[0]} is named after an exercise or a notebook, ${other} is not.`,
      "If all of it is one student's, say whose: --student NAME. If it is a class, rename the file, or put each student's files into a folder.",
    );
  }
  return own.length > 0;
}

/** Why an exercise of a submission has no points: a sentence for the student. */
export function whyMissing({ notes }: Submission, exercise: Exercise): string {
  return `There is no ${exercise.functionName} in what was handed in${notes.length > 0 ? ` (${notes.join("; ")})` : ""}.`;
}

/** Finds the solutions in a submission. A submission is untrusted: it is only read, in a separate process (reader.ts). */
import { lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { exerciseNames, functionNameOf } from "../exercise/exercise";
import { declares, prepare } from "../exercise/source";
import { type Solution, sourceFile, type Submission } from "./submission";

/** bytes of a file; a notebook with 100 MB of outputs is still read */
const largestFile = 300 << 20;
/** bytes of a .ts file */
const largestSource = 1 << 20;
const mostFiles = 2000;

type Found = Omit<Solution, "program">;

/**
 * Reads the files of one submission, and compiles the solutions that it finds. Never throws for what is in them: `notes` tell of files that
 * cannot be read.
 * @param place absolute path of a file or folder
 */
export function readSubmission(student: string, place: string): Submission {
  const solutions = new Map<string, Found>();
  const notes: string[] = [];
  for (const file of filesOf(place, notes)) {
    const name = path.relative(path.dirname(place), file);
    try {
      const text = readFileSync(file, "utf8");
      if (/\.ipynb$/i.test(file)) readNotebook(text, name, solutions, notes);
      else readSource(text, name, solutions, notes);
    } catch (error) {
      notes.push(`${name} could not be read: ${(error as Error).message}`);
    }
  }
  const programs = [...solutions].map(([exercise, found]): [string, Solution] => [
    exercise,
    { ...found, program: prepare(found.source, found.imports) },
  ]);
  return { student, solutions: new Map(programs), notes };
}

/** Plain files within the submission; links, devices and what is too large are noted. */
function filesOf(place: string, notes: string[]): string[] {
  const files: string[] = [];
  const base = realpathSync(path.dirname(place));
  const visit = (entry: string, depth: number) => {
    if (files.length >= mostFiles || depth > 8) return;
    const name = path.relative(base, entry);
    const status = lstatSync(entry, { throwIfNoEntry: false });
    if (!status) return;
    if (status.isSymbolicLink()) return void notes.push(`${name} is a symbolic link; hand in the file itself`);
    if (status.isDirectory()) {
      if (!/^(\.|node_modules$|__MACOSX$)/.test(path.basename(entry)))
        for (const each of readdirSync(entry).sort()) visit(path.join(entry, each), depth + 1);
      return;
    }
    if (!sourceFile.test(entry)) return;
    if (!status.isFile()) return void notes.push(`${name} is no plain file`);
    const most = /\.ipynb$/i.test(entry) ? largestFile : largestSource;
    if (status.size > most)
      return void notes.push(
        `${name} has ${Math.round(status.size / 2 ** 20)} MB; ${most >> 20} MB are the most. Clear the outputs and hand it in again`,
      );
    if (status.size === 0) return void notes.push(`${name} is empty`);
    files.push(entry);
  };
  visit(place, 0);
  return files;
}

/** A .ts file: the name of the file, or the functions in it, say which exercise it solves. */
function readSource(text: string, name: string, solutions: Map<string, Found>, notes: string[]): void {
  const named = path.basename(name).replace(sourceFile, "");
  const found = exerciseNames().includes(named) ? [named] : exercisesIn(text);
  if (found.length === 0) notes.push(`${name} has no function of an exercise`);
  for (const exercise of found) put(solutions, exercise, { source: text, imports: [], where: name }, notes);
}

interface Cell {
  cell_type?: unknown;
  source?: unknown;
  metadata?: {
    one_listener?: { exercise?: unknown };
    tags?: unknown;
    nbgrader?: { grade_id?: unknown; solution?: unknown };
  };
}

interface NotebookFile {
  cells?: unknown;
  metadata?: { kernelspec?: { language?: unknown; name?: unknown }; language_info?: { name?: unknown } };
}

interface CodeCell {
  /** place among all cells, from 0 */
  at: number;
  source: string;
  /** by its mark; undefined: it has none */
  exercise: string | undefined;
}

function readNotebook(text: string, name: string, solutions: Map<string, Found>, notes: string[]): void {
  const code = codeCells(text, name, notes);
  if (!code) return;
  for (const exercise of exerciseNames()) {
    const chosen = solutionCell(code, exercise, name, notes);
    if (!chosen) continue;
    const imports = code
      .filter(({ at }) => at !== chosen.at)
      .map(({ source }) => source)
      .filter((source) => /\bimport\b/.test(source));
    put(solutions, exercise, { source: chosen.source, imports, where: `${name}, cell ${chosen.at + 1}` }, notes);
  }
}

/** The code cells of a notebook; undefined, and a note, where the text is none. */
function codeCells(text: string, name: string, notes: string[]): CodeCell[] | undefined {
  let notebook: NotebookFile | null;
  try {
    notebook = JSON.parse(text) as NotebookFile | null;
  } catch {
    notes.push(`${name} is no notebook: its JSON is broken. Open it in JupyterLab, save it, and hand it in again`);
    return undefined;
  }
  if (typeof notebook !== "object" || !Array.isArray(notebook?.cells)) {
    notes.push(`${name} is no notebook: it has no cells`);
    return undefined;
  }
  const language = notebook.metadata?.kernelspec?.language ?? notebook.metadata?.language_info?.name;
  if (typeof language === "string" && !/^typescript$/i.test(language))
    notes.push(`${name} is written for the kernel of ${language.slice(0, 40)}; the exercises are in TypeScript`);
  const code = (notebook.cells as (Cell | null)[]).flatMap((cell, at) =>
    cell && typeof cell === "object" && cell.cell_type === "code"
      ? [{ at, source: textOf(cell.source), exercise: exerciseOf(cell) }]
      : [],
  );
  if (code.length === 0) notes.push(`${name} has no code cells`);
  return code;
}

/**
 * The cell of an exercise: the last one that declares its function, because a mark may be lost or copied; else the last one that
 * has its mark.
 */
function solutionCell(
  code: readonly CodeCell[],
  exercise: string,
  name: string,
  notes: string[],
): CodeCell | undefined {
  const functionName = functionNameOf(exercise);
  const marked = code.filter((cell) => cell.exercise === exercise);
  const declaring = code
    .filter((cell) => cell.exercise === exercise || cell.source.includes(functionName))
    .filter(({ source }) => declares(source, functionName));
  if (declaring.length > 1)
    notes.push(`${name} has ${declaring.length} cells with ${functionName}; the last one counts`);
  return declaring.at(-1) ?? marked.at(-1);
}

function put(solutions: Map<string, Found>, exercise: string, solution: Found, notes: string[]): void {
  const before = solutions.get(exercise);
  if (before) notes.push(`${exercise} is in ${before.where} and in ${solution.where}; the last one counts`);
  solutions.set(exercise, solution);
}

/** By our own metadata, by tag, or by nbgrader's id of a solution cell. */
function exerciseOf(cell: Cell): string | undefined {
  const { one_listener: own, tags, nbgrader } = cell.metadata ?? {};
  const names = new Set(exerciseNames());
  const candidates = [
    own?.exercise,
    ...(Array.isArray(tags) ? tags.map((tag) => /^exercise:(.+)$/.exec(String(tag))?.[1]) : []),
    nbgrader?.solution ? nbgrader.grade_id : undefined,
  ];
  return candidates.find((name): name is string => typeof name === "string" && names.has(name));
}

function textOf(source: unknown): string {
  if (typeof source === "string") return source;
  return Array.isArray(source) ? source.map(String).join("") : "";
}

function exercisesIn(text: string): string[] {
  return exerciseNames().filter((name) => text.includes(functionNameOf(name)) && declares(text, functionNameOf(name)));
}

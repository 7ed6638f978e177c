/**
 * Submissions that attack the grader, one a file in attacks/, and those that no text file can hold: notebooks, links, pipes, files
 * of megabytes. Each comes with what the student must be told, word for word.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { projectDir } from "../fixtures/project";

/** A submission, and what must come of it. */
export interface Attack {
  readonly name: string;
  /** Hands it in. @param place a path without ending, where a file or a folder is put */
  readonly handIn: (place: string) => void;
  /** points that it must get */
  readonly points: number;
  /** the message that the student gets, whole; undefined: none, only the stories of the tests that failed */
  readonly told: RegExp | undefined;
}

/** points of queue-arithmetic, the exercise that all of them hand in */
export const max = 6;

const folder = path.join(projectDir, "test", "grade", "attacks");
const solutionFile = path.join(projectDir, "exercises", "queue-arithmetic", "solution.ts");
const solution = readFileSync(solutionFile, "utf8");

/** @throws Error the header of a file lacks a line */
function fromFile(file: string, words: Readonly<Record<string, string>>): Attack {
  const text = readFileSync(path.join(folder, file), "utf8");
  const line = (name: string) => new RegExp(`^ \\* ${name}: (.+)$`, "m").exec(text)?.[1];
  const [attack, wall, told] = [line("Attack"), line("Wall"), line("Told")];
  if (!attack || !wall || !told) throw new Error(`attacks/${file}: its header says Attack, Wall and Told`);
  const written = (part: string) =>
    Object.entries(words).reduce((whole, [word, value]) => whole.replaceAll(word, value), part);
  return {
    name: path.basename(file, ".ts"),
    handIn: (place) => writeFileSync(`${place}.ts`, written(text)),
    points: Number(line("Points") ?? 0),
    told: told === "nothing" ? undefined : new RegExp(written(told)),
  };
}

const cell = (source: string, metadata: object = {}) => ({
  cell_type: "code",
  id: "x",
  metadata,
  execution_count: null,
  outputs: [] as object[],
  source,
});
const tslab = { kernelspec: { name: "tslab", language: "typescript" } };
const notebook = (cells: unknown, metadata: object = tslab) =>
  JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells });
const asNotebook = (text: string) => (place: string) => {
  writeFileSync(`${place}.ipynb`, text);
};
const asFile = (content: string | Buffer) => (place: string) => {
  writeFileSync(`${place}.ts`, content);
};
const asFolder = (fill: (folder: string) => void) => (place: string) => {
  mkdirSync(place);
  fill(place);
};
const solutionCell = solution.replace("export ", "");
const wrong = (line: string) =>
  `export function queueArithmetic() {\n  ${line}\n  return { maximum: -1, waiting: -1 };\n}\n`;
/** TypeScript's parser tries each of the 60 both ways */
const parserBomb = `export const queueArithmetic = ${"a ? async (x = ".repeat(60)}1${") : y".repeat(60)};`;

/** What must be graded all the same, whatever stands beside it. */
const perfect: Record<string, (place: string) => void> = {
  perfect: asFile(solution),
  "perfect-notebook": asNotebook(notebook([cell(solutionCell, { one_listener: { exercise: "queue-arithmetic" } })])),
  "perfect-mark-lost": asNotebook(notebook([cell("const x = 1;"), cell(solutionCell)])),
  "perfect-cell-copied": asNotebook(
    notebook([
      cell("function queueArithmetic() { return 0; }", { tags: ["exercise:queue-arithmetic"] }),
      cell(solutionCell, { tags: ["exercise:queue-arithmetic"] }),
    ]),
  ),
  "perfect-check-in-cell": asNotebook(
    notebook([
      cell('import { check } from "one-listener";'),
      cell(
        `${solutionCell}\nawait_check();\nfunction await_check() { void check("queue-arithmetic", queueArithmetic); }`,
      ),
    ]),
  ),
  "perfect-100-MB-of-output": (place) => {
    const outputs = [{ output_type: "stream", name: "stdout", text: "x".repeat(100 << 20) }];
    writeFileSync(`${place}.ipynb`, notebook([{ ...cell(solutionCell), outputs }]));
  },
};

/** What is said beside all points. */
const besideAllPoints: Record<string, RegExp | undefined> = {
  "perfect-cell-copied": /^perfect-cell-copied\.ipynb has 2 cells with queueArithmetic; the last one counts$/,
};

/** Files that are none, are no notebooks, or are links to others. */
const made: Record<string, { handIn: (place: string) => void; told?: RegExp }> = {
  "broken-json": {
    handIn: asNotebook('{"cells": [{"cell_ty'),
    told: /^There is no queueArithmetic in what was handed in \(broken-json\.ipynb is no notebook: its JSON is broken\. Open it in JupyterLab, save it, and hand it in again\)\.$/,
  },
  "no-cells": {
    handIn: asNotebook('{"nbformat": 4}'),
    told: /^There is no queueArithmetic in what was handed in \(no-cells\.ipynb is no notebook: it has no cells\)\.$/,
  },
  "cells-are-a-number": {
    handIn: asNotebook(notebook(7)),
    told: /^There is no queueArithmetic in what was handed in \(cells-are-a-number\.ipynb is no notebook: it has no cells\)\.$/,
  },
  "absurd-cells": {
    handIn: asNotebook(
      notebook([
        null,
        5,
        {},
        { cell_type: "code" },
        { cell_type: "code", source: { a: 1 }, metadata: { tags: 5, one_listener: null } },
        cell("1", { nbgrader: 3 }),
      ]),
    ),
    told: /^There is no queueArithmetic in what was handed in\.$/,
  },
  "no-code": {
    handIn: asNotebook(notebook([{ cell_type: "markdown", metadata: {}, source: "I did it" }])),
    told: /^There is no queueArithmetic in what was handed in \(no-code\.ipynb has no code cells\)\.$/,
  },
  python: {
    handIn: asNotebook(notebook([cell("print(1)")], { kernelspec: { name: "python3", language: "python" } })),
    told: /^There is no queueArithmetic in what was handed in \(python\.ipynb is written for the kernel of python; the exercises are in TypeScript\)\.$/,
  },
  "deep-json": {
    handIn: asNotebook("[".repeat(2_000_000)),
    told: /^There is no queueArithmetic in what was handed in \(deep-json\.ipynb is no notebook: its JSON is broken\. Open it in JupyterLab, save it, and hand it in again\)\.$/,
  },
  "parser-bomb": {
    handIn: asFile(parserBomb),
    told: /^There is no queueArithmetic in what was handed in \(it could not be read: to read it takes longer than 20 s; is something nested very deeply\?\)\.$/,
  },
  "parser-bomb-by-its-name": {
    handIn: asFolder((place) => writeFileSync(path.join(place, "queue-arithmetic.ts"), parserBomb)),
    told: /^There is no queueArithmetic in what was handed in \(it could not be read: to read it takes longer than 20 s; is something nested very deeply\?\)\.$/,
  },
  "thirty-million-cells": {
    handIn: (place) => writeFileSync(`${place}.ipynb`, `{"nbformat":4,"cells":[${"{},".repeat(30_000_000)}{}]}`),
    told: /^There is no queueArithmetic in what was handed in \(it could not be read: to read it takes longer than 20 s; is something nested very deeply\?\)\.$/,
  },
  empty: { handIn: asFile(""), told: /^There is no queueArithmetic in what was handed in \(empty\.ts is empty\)\.$/ },
  binary: {
    handIn: asFile(Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 256))),
    told: /^There is no queueArithmetic in what was handed in \(binary\.ts has no function of an exercise\)\.$/,
  },
  syntax: {
    handIn: asFile("export function queueArithmetic( { return"),
    told: /^It does not compile: ':' expected\. \(line \d+\)$/,
  },
  nested: {
    handIn: asFile(`export function queueArithmetic() { return ${"(".repeat(60_000)}1${")".repeat(60_000)}; }`),
    told: /^There is no queueArithmetic in what was handed in \(nested\.ts has no function of an exercise\)\.$/,
  },
  "too-long": {
    handIn: asFile(`${solution}\n//${"x".repeat(2 << 20)}`),
    told: /^There is no queueArithmetic in what was handed in \(too-long\.ts has 2 MB; 1 MB are the most\. Clear the outputs and hand it in again\)\.$/,
  },
  "link-to-the-solution": {
    handIn: (place) => symlinkSync(solutionFile, `${place}.ts`),
    told: /^There is no queueArithmetic in what was handed in \(link-to-the-solution\.ts is a symbolic link; hand in the file itself\)\.$/,
  },
  "folder-with-a-link": {
    handIn: asFolder((place) => {
      symlinkSync("/etc", path.join(place, "etc"));
      symlinkSync(solutionFile, path.join(place, "queue-arithmetic.ts"));
    }),
    told: /^There is no queueArithmetic in what was handed in \(folder-with-a-link\/etc is a symbolic link; hand in the file itself; folder-with-a-link\/queue-arithmetic\.ts is a symbolic link; hand in the file itself\)\.$/,
  },
  "folder-in-itself": {
    handIn: asFolder((place) => symlinkSync(place, path.join(place, "again"))),
    told: /^There is no queueArithmetic in what was handed in \(folder-in-itself\/again is a symbolic link; hand in the file itself\)\.$/,
  },
  pipe: {
    handIn: (place) => execFileSync("mkfifo", [`${place}.ts`]),
    told: /^There is no queueArithmetic in what was handed in \(pipe\.ts is no plain file\)\.$/,
  },
  "=HYPERLINK(evil)": { handIn: asFile(wrong("")) },
  "<script>alert(1)": {
    handIn: asFile(wrong('throw new Error("<script>alert(1)</script>");')),
    told: /^It threw: <script>alert\(1\)<\/script> \(line \d+\)$/,
  },
};

/** All of them. @param outsidePort of a server on the machine's own network, which no submission may reach */
export function attacks(outsidePort: number): Attack[] {
  const words = { __PROJECT__: projectDir, __OUTSIDE_PORT__: String(outsidePort) };
  return [
    ...Object.entries(perfect).map(([name, handIn]) => ({ name, handIn, points: max, told: besideAllPoints[name] })),
    ...readdirSync(folder).map((file) => fromFile(file, words)),
    ...Object.entries(made).map(([name, { handIn, told }]) => ({ name, handIn, points: 0, told })),
  ];
}

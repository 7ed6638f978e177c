/**
 * The program that runs the reader's function on another kernel, or in a process of its own on this one. It reads the function and what
 * it is given from stdin, opens a Lab, calls the function, and writes what came out to descriptor 3.
 */
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { compileFunction } from "node:vm";
import { hintOf, LabError } from "../errors";
import { Lab, type LabOptions } from "../front-door";
import { pack, unpack } from "./values";

/** What this program is told. */
export interface Order {
  /** JavaScript of the function */
  text: string;
  /** the function's second argument, but for `library` */
  context: { kernel: string; version: string; given: unknown };
  /** how the Lab is opened */
  lab: LabOptions;
}

/** What comes back. */
export type Answer =
  { value: unknown } | { error: { name: string; message: string; code: string; hint?: string | undefined } };

const resultFd = 3;
/** exit status where nothing is left to do and the function has not come to an end, as Node has it for modules */
export const unsettled = 13;
/** in the project's folder, so that it finds one-listener and what else is installed */
const file = path.join(__dirname, "..", "..", "on-kernels.js");

/** What a cell's text has around each `await`: see src/kernel/await-guard.ts. Here the process is ended instead. */
const unguarded = (value: unknown): unknown => value;

/** The line of the function at which the error came up, as the reader wrote it; "" where the stack does not tell. */
function lineOf(error: unknown, text: string): string {
  const at = error instanceof Error && error.stack?.split("\n").find((frame) => frame.includes(file));
  const [, line] = (at && /:(\d+):\d+\)?$/.exec(at)) || [];
  return (text.split("\n")[Number(line) - 1] ?? "")
    .replace(/__(?:each)?[uU]ntilInterrupt\(/g, "")
    .replace(/, \d+, \d+\)/g, "")
    .replace(/\(0, one_listener_1\.(\w+)\)/g, "$1")
    .trim();
}

/** tslab makes `exports.sleep` of a name that an earlier cell has imported. Other names of earlier cells are not known here. */
function asCellsHaveIt(library: object): object {
  return new Proxy(library, {
    get: (names, name) => {
      if (!(name in names)) throw new ReferenceError(`${String(name)} is not defined`);
      return Reflect.get(names, name) as unknown;
    },
  });
}

/**
 * The function of a text. Names of the library and what TypeScript makes of `import … from "one-listener"` are there, in the same cell and
 * in an earlier one; else only its arguments.
 */
function functionOf(text: string, library: object): (...given: unknown[]) => unknown {
  const names: Record<string, unknown> = {
    ...library,
    one_listener_1: library,
    exports: asCellsHaveIt(library),
    require: createRequire(file),
    __untilInterrupt: unguarded,
    __eachUntilInterrupt: unguarded,
  };
  const evaluate = (expression: string): unknown => {
    const body = compileFunction(`return ${expression};`, Object.keys(names), { filename: file });
    return (body as (...given: unknown[]) => unknown)(...Object.values(names));
  };
  let made: unknown;
  try {
    made = evaluate(`(${text})`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // a method's text stands for itself in an object only
    made = Object.values(evaluate(`({ ${text} })`) as object)[0];
  }
  if (typeof made !== "function") throw new TypeError("It is no function.");
  return made as (...given: unknown[]) => unknown;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function describe(error: unknown, text = ""): Answer {
  const { name = "Error", code } = error as Partial<LabError>;
  const message =
    error instanceof LabError || !(error instanceof Error) ? messageOf(error) : `${name}: ${error.message}`;
  const line = lineOf(error, text);
  const place = line === "" ? "" : ` (at: ${line})`;
  const outside =
    error instanceof ReferenceError
      ? "The function runs in another process: it knows its arguments and the library's names, and nothing else of the notebook. Hand it over: { given: … }."
      : undefined;
  return { error: { name, message: `${message}${place}`, code: code ?? "ERR_THROWN", hint: hintOf(error) ?? outside } };
}

async function answer(order: Order): Promise<Answer> {
  try {
    const library = createRequire(file)("one-listener") as object;
    const call = functionOf(order.text, library);
    const lab = await Lab.open(order.lab);
    try {
      return { value: await call(lab, { ...order.context, library }) };
    } finally {
      await lab.close();
    }
  } catch (error) {
    return describe(error, order.text);
  }
}

async function main(): Promise<void> {
  process.exitCode = unsettled;
  const order = (await unpack(readFileSync(0))) as Order;
  const came = await answer(order);
  const bytes = await pack(came, "What the function returned").catch((error: unknown) => pack(describe(error), ""));
  for (let at = 0; at < bytes.length;) at += writeSync(resultFd, bytes, at);
  // what the function left open does not keep it alive
  process.exit(0);
}

if (require.main === module) void main();

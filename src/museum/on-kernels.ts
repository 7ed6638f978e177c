/** A function of the reader's, run on each of several kernels. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { ArgumentError, InterruptedError, LabError, requireInteger, requireKnown } from "../errors";
import type { Lab, LabOptions } from "../front-door";
import { requireTimeout } from "../waiting/timeout";
import type { BootOptions } from "./boot";
import { type Answer, type Order, unsettled } from "./inside";
import { installed } from "./kernel";
import { here, type Place, placesOf, runAt } from "./place";
import { KernelLines } from "./progress";
import { pack, unpack } from "./values";

/** What the function gets besides the Lab. */
export interface KernelContext<Given = unknown> {
  /** the kernel as the call named it: "6.1", "here" */
  kernel: string;
  /** its version: "6.1.176" */
  version: string;
  /** a copy of what the call handed over */
  given: Given;
  /** the library: `library.plot`, `library.sleep`, … */
  library: Record<string, unknown>;
}

/** How onKernels() runs. */
export interface OnKernelsOptions<Given = unknown> {
  /** data for the function: numbers, strings, arrays, plain objects, typed arrays, Traces; default undefined */
  given?: Given;
  /** how the function's Lab is opened; default as Lab.open() */
  lab?: LabOptions;
  /** ms for each kernel, with its boot; Infinity: no time limit. Default 120,000 */
  timeout?: number;
  /** kernels that run at the same time; default 1, since two make each other slow */
  atOnce?: number;
  /** bytes of memory of each kernel; default 1 GiB */
  memory?: number;
  /** true: as the guest's root; default false: as an ordinary user */
  root?: boolean;
  /** a line for each kernel while they run; default true */
  progress?: boolean;
  /** ends everything early */
  signal?: AbortSignal;
}

/** What came of the function on one kernel. */
export interface KernelResult<Value> {
  /** the kernel as the call named it: "6.1", "here" */
  kernel: string;
  /** its version: "6.1.176"; "" where it is not installed */
  version: string;
  /** what the function returned; absent: `error` says why */
  value?: Value;
  /** why there is no value: what the function threw, or why the kernel did not come to an end of it */
  error?: LabError;
  /** what the function printed */
  output: string;
  /** from the start of the kernel to its end, s */
  seconds: number;
}

const optionNames = ["given", "lab", "timeout", "atOnce", "memory", "root", "progress", "signal"];
/** characters of output that are kept of each kernel */
const mostOutput = 1 << 20;
const program = path.join(__dirname, "inside.js");

/**
 * Runs `experiment` on each kernel, in a Lab of its own, and gives back what it returned there. The function travels as text: it knows its
 * arguments and the names of the library, and nothing else of the notebook. It may return numbers, strings, arrays, plain objects, typed
 * arrays and Traces. An error on one kernel is in that kernel's result; the others' stay.
 *
 * @param names installed kernels by version or release ("6.1", "bookworm"), and "here" for the one that runs this process; none: "here"
 * @param experiment `async (lab, { given, version, library }) => …`
 * @returns one result for each name, in that order
 * @throws ArgumentError none of the kernels is installed, the function cannot travel, or `given` cannot
 * @throws InterruptedError `signal` was aborted, or the cell was interrupted
 */
export async function onKernels<Value, Given = undefined>(
  names: readonly string[],
  experiment: (lab: Lab, context: KernelContext<Given>) => Value,
  options: OnKernelsOptions<Given> = {},
): Promise<KernelResult<Awaited<Value>>[]> {
  requireKnown(options, optionNames, "onKernels()");
  requireTimeout(options.timeout ?? 0);
  const atOnce = requireInteger(options.atOnce ?? 1, "atOnce", 1, 16);
  const text = textOf(experiment);
  const kernels = placesOf(names.length === 0 ? [here] : names);
  const orders = await Promise.all(kernels.map(({ name, version }) => orderFor(text, name, version, options)));
  const lines = options.progress === false ? undefined : new KernelLines(kernels.map(({ label }) => label));
  const results: KernelResult<Awaited<Value>>[] = [];
  const left = kernels.entries();
  const work = async () => {
    for (const [at, place] of left) results[at] = await one(place, orders[at] ?? Buffer.of(), options, { at, lines });
  };
  const workers = await Promise.allSettled(Array.from({ length: Math.min(atOnce, kernels.length) }, work));
  lines?.close();
  // all have ended before the first failure is told
  for (const worker of workers) if (worker.status === "rejected") throw worker.reason;
  return results;
}

/** @throws ArgumentError it is no function whose text stands for itself */
function textOf(experiment: unknown): string {
  if (typeof experiment !== "function")
    throw new ArgumentError("onKernels(names, function) needs a function that gets a Lab: async (lab) => { … }");
  const text = Function.prototype.toString.call(experiment);
  if (/\{\s*\[native code\]\s*\}$/.test(text))
    throw new ArgumentError(
      "This function has no text that could travel to another kernel: it is built in, or was bound.",
      "Write a function around it: async (lab) => { … }",
    );
  return text;
}

function orderFor(text: string, kernel: string, version: string, options: OnKernelsOptions): Promise<Buffer> {
  const order: Order = { text, context: { kernel, version, given: options.given }, lab: options.lab ?? {} };
  return pack(order, "What is given to the function");
}

interface Row {
  at: number;
  lines: KernelLines | undefined;
}

/** One kernel, from its boot to its end. @throws InterruptedError */
async function one<Value>(
  place: Place,
  order: Buffer,
  options: OnKernelsOptions,
  { at, lines }: Row,
): Promise<KernelResult<Value>> {
  const startedAt = Date.now();
  let output = "";
  const result = (rest: { value: Value } | { error: LabError }): KernelResult<Value> => {
    const failed = "error" in rest;
    lines?.set(at, failed ? "failed" : "done", failed ? rest.error.message : "");
    const seconds = (Date.now() - startedAt) / 1000;
    return { kernel: place.name, version: place.version, ...rest, output, seconds };
  };
  if (place.missing) return result({ error: place.missing });
  lines?.set(at, place.kernel ? "booting" : "running");
  try {
    const value = await answerOf<Value>(place, {
      input: order,
      what: "the function",
      result: true,
      timeout: options.timeout ?? 120_000,
      memory: options.memory ?? 2 ** 30,
      root: options.root ?? false,
      signal: options.signal,
      onRunning: () => lines?.set(at, "running"),
      onOutput: (_stream, part) => {
        if (output.length < mostOutput) output += part.toString();
      },
    });
    return result({ value });
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    if (error instanceof LabError) return result({ error });
    return result({ error: new LabError((error as Error).message, { code: "ERR_GUEST", cause: error }) });
  }
}

async function answerOf<Value>(place: Place, options: BootOptions): Promise<Value> {
  const command = [process.execPath, program];
  const end = await runAt(place, command, options);
  if (end.result === undefined || end.result.length === 0)
    throw new LabError(
      `The function ended without an answer on Linux ${place.version} (exit status ${end.status ?? "none"}).`,
      {
        code: "ERR_THROWN",
        hint:
          end.status === unsettled
            ? "It waits for something that nothing in its process can bring about."
            : "What it printed is in the result's output.",
      },
    );
  const answer = (await unpack(end.result)) as Answer;
  if ("value" in answer) return answer.value as Value;
  const { message, ...details } = answer.error;
  throw new LabError(message, details);
}

/**
 * Kernels that onKernels() can run on besides this one, from the oldest; for notebooks. On a kernel of the museum there are none: a kernel
 * that runs in a kernel that is a program itself has no time for anything.
 */
export function installedKernels(): { name: string; version: string }[] {
  const isGuest = readFileSync("/proc/cpuinfo", "utf8").includes("User Mode Linux");
  return isGuest ? [] : installed().map(({ name, version }) => ({ name, version }));
}

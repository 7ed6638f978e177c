/**
 * The program of the process that a student's function runs in. It gets the solution over the link, and calls the function. Nothing that
 * it says about itself is believed: checks judge what the kernel saw.
 */
import { createRequire } from "node:module";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { compileFunction } from "node:vm";
import { messageWithHint } from "../../errors";
import { Lab } from "../../front-door";
import { channelFd, labFd, type Call, type FromSolution, type ToSolution } from "./messages";

type Solution = (...labAndTask: unknown[]) => unknown;

/** where the solution seems to be: beside package.json, so that it finds one-listener and what else is installed */
const file = path.join(__dirname, "..", "..", "..", "solution.js");
const channel = new net.Socket({ fd: channelFd, readable: true, writable: true });
const aborts = new Map<number, AbortController>();
let solution: Solution | undefined;
let lab: Promise<Lab> | undefined;

function say(message: FromSolution): void {
  channel.write(`${JSON.stringify(message)}\n`);
}

function messageOf(error: unknown): string {
  const [message = "", ...hint] = messageWithHint(error).split("\n→ ");
  const line = error instanceof Error ? /solution\.js:(\d+):\d+/.exec(error.stack ?? "")?.[1] : undefined;
  return [line === undefined ? message : `${message} (line ${line})`, ...hint].join("\n→ ");
}

/** Evaluates a module as Node does with CommonJS: the function gets what a module may use. @returns its exports */
function evaluate(javascript: string): Record<string, unknown> {
  const module: { exports: Record<string, unknown> } = { exports: {} };
  const body = compileFunction(javascript, ["exports", "require", "module", "__filename", "__dirname"], {
    filename: file,
  }) as (...given: unknown[]) => void;
  body(module.exports, createRequire(file), module, file, path.dirname(file));
  return module.exports;
}

function load(javascript: string, name: string): void {
  try {
    // in a notebook functions are declared and not exported
    const exported = evaluate(`${javascript}\nif (typeof ${name} === "function") exports.${name} ??= ${name};`);
    const found = exported[name] ?? exported.default;
    if (typeof found === "function") {
      solution = found as Solution;
      say({ type: "ready" });
    } else say({ type: "missing", message: `There is no function ${name} in it.` });
  } catch (error) {
    say({ type: "missing", message: `Before any function could be called, it threw: ${messageOf(error)}` });
  }
}

async function call({ id, task, events, lab: inLab }: Call): Promise<void> {
  const abort = new AbortController();
  aborts.set(id, abort);
  const reports = Object.fromEntries(
    events.map((name) => [
      name,
      () => {
        say({ type: "event", id, name });
      },
    ]),
  );
  try {
    if (!solution) throw new Error("There is no function to be called.");
    const whole = { ...task, ...reports, signal: abort.signal };
    if (inLab) lab ??= Lab.join(labFd);
    const value = await (inLab ? solution(await lab, whole) : solution(whole));
    say({ type: "answer", id, value: value ?? null });
  } catch (error) {
    say({ type: "threw", id, message: messageOf(error) });
  }
}

createInterface({ input: channel }).on("line", (line) => {
  const message = JSON.parse(line) as ToSolution;
  if (message.type === "solution") load(message.javascript, message.name);
  else if (message.type === "call") void call(message);
  else aborts.get(message.id)?.abort();
});
channel.on("close", () => process.exit());
// A stray rejection or a throw in a timer is for the student to read; it need not end a server that works.
process.on("unhandledRejection", (error) => process.stderr.write(`unhandled rejection: ${messageOf(error)}\n`));

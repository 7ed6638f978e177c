/**
 * The process that a student's function runs in. It is told the solution and calls it; nothing it says about itself is believed:
 * checks judge what the kernel saw.
 */
import { Module, createRequire } from "node:module";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { messageWithHint } from "../errors";
import { Lab } from "../front-door";
import { Call, channelFd, FromSolution, labFd, ToSolution } from "./messages";

type Solution = (...labAndTask: unknown[]) => unknown;

const channel = new net.Socket({ fd: channelFd, readable: true, writable: true });
const aborts = new Map<number, AbortController>();
let solution: Solution | undefined;
let lab: Promise<Lab> | undefined;

function say(message: FromSolution): void {
  channel.write(`${JSON.stringify(message)}\n`);
}

function messageOf(error: unknown): string {
  const [message, ...hint] = messageWithHint(error).split("\n→ ");
  const line = error instanceof Error ? /solution\.js:(\d+):\d+/.exec(error.stack ?? "")?.[1] : undefined;
  return [line ? `${message} (line ${line})` : message, ...hint].join("\n→ ");
}

function load(javascript: string, name: string): void {
  try {
    const file = path.join(__dirname, "..", "..", "solution.js");
    const module = new Module(file);
    module.filename = file;
    module.require = createRequire(file) as never;
    (module as unknown as { _compile(code: string, file: string): void })._compile(
      `${javascript}\nif (typeof ${name} === "function") exports.${name} ??= ${name};`,
      file,
    );
    const exported = module.exports as Record<string, unknown>;
    const found = exported[name] ?? exported.default;
    if (typeof found !== "function") return say({ type: "missing", message: `There is no function ${name} in it.` });
    solution = found as Solution;
    say({ type: "ready" });
  } catch (error) {
    say({ type: "missing", message: `Before any function could be called, it threw: ${messageOf(error)}` });
  }
}

async function call({ id, task, events, lab: inLab }: Call): Promise<void> {
  const abort = new AbortController();
  aborts.set(id, abort);
  const reports = Object.fromEntries(
    events.map((name) => [name, (value?: unknown) => say({ type: "event", id, name, value: value ?? null })]),
  );
  try {
    if (inLab) lab ??= Lab.join(labFd);
    const whole = { ...task, ...reports, signal: abort.signal };
    const value = await (inLab ? solution!(await lab, whole) : solution!(whole));
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
// A stray rejection or a throw in a timer is the student's to read; it need not end a server that works.
process.on("unhandledRejection", (error) => process.stderr.write(`unhandled rejection: ${messageOf(error)}\n`));

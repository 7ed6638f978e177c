// Where files are, and how the set-up prints progress and errors.
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the project. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
/** A path inside the project. */
export const at = (...parts) => path.join(root, ...parts);

/** Prints a line of progress to stderr; stdout is for results. */
export function say(text) {
  process.stderr.write(`· ${text}\n`);
}

/** Ends the command with one message, without a stack: a program that it started has failed, and its output is shown. */
export class ProgramFailed extends Error {}

/** Ends the command with one message and the line that solves the problem, without a stack. */
export class Missing extends Error {
  /** @param hint a line to type, or a list to choose from */
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

/**
 * Runs a program to its end and returns its stdout. Its output is shown only if it fails, or where `show` is set.
 * Throws ProgramFailed if the program ends with another status than 0, and Error if it cannot be started.
 */
export function run(program, args, { show = false, cwd = root, env = process.env } = {}) {
  const result = spawnSync(program, args, {
    cwd,
    env,
    stdio: show ? ["inherit", 2, 2] : ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    if (!show) process.stderr.write(`${result.stdout}${result.stderr}`);
    throw new ProgramFailed(
      `${path.basename(program)} ${args.slice(0, 3).join(" ")} … failed${result.status === null ? ` (${result.signal})` : ""}`,
    );
  }
  return result.stdout;
}

/** One set-up at a time: a second command waits until the first one has ended. Takes over the lock of a killed one. */
export function withLock(action) {
  const file = at(".setup-lock");
  for (let waited = 0; ; waited++) {
    try {
      const fd = openSync(file, "wx");
      writeSync(fd, String(process.pid));
      closeSync(fd);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const owner = Number(readOr(file, "0"));
      if (owner > 0 && !isRunning(owner)) {
        unlinkSync(file);
        continue;
      }
      if (waited === 0) say(`another command (pid ${owner}) is setting up; this one waits for it`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  const release = () => unlinkSync(file);
  process.once("exit", release);
  try {
    return action();
  } finally {
    process.off("exit", release);
    release();
  }
}

function readOr(file, otherwise) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return otherwise;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

const needsNoStack = (error) => error instanceof ProgramFailed || String(error.code).startsWith("ERR_PARSE_ARGS");

/** Runs a command's body, and turns errors into one message and an exit status. The body returns its status (0: success). */
export async function command(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    if (error instanceof Missing) process.stderr.write(`\n${error.message}\n\n    ${error.hint}\n\n`);
    else process.stderr.write(`\n${needsNoStack(error) ? error.message : error.stack}\n`);
    process.exitCode = 1;
  }
}

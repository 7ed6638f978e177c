// Where things are, and how the set-up speaks.
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
export const at = (...parts) => path.join(root, ...parts);

/** A line of progress; stdout is for results. */
export function say(text) {
  process.stderr.write(`· ${text}\n`);
}

/** Ends the command with one clear message and the line that mends it. */
export class Missing extends Error {
  constructor(what, mend) {
    super(`${what}\n\n    ${mend}\n`);
  }
}

/** Runs a program; its output is shown only if it fails, or where `show` is set. */
export function run(command, args, { show = false, cwd = root, env = process.env } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env,
    stdio: show ? ["inherit", 2, 2] : ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    if (!show) process.stderr.write(`${result.stdout}${result.stderr}`);
    throw new Error(
      `${path.basename(command)} ${args.slice(0, 3).join(" ")} … failed${result.status === null ? ` (${result.signal})` : ""}`,
    );
  }
  return result.stdout;
}

/** One set-up at a time: a second command waits until the first has built. */
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
      if (waited === 0) say(`another command (pid ${owner}) is setting up; waiting for it`);
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

/** Runs a command's body and turns its errors into one message and an exit status. */
export async function command(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    // a misspelt option needs no stack either
    const plain = error instanceof Missing || String(error.code).startsWith("ERR_PARSE_ARGS");
    process.stderr.write(`\n${plain ? error.message : error.stack}\n`);
    process.exitCode = 1;
  }
}

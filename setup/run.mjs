import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { root, SetupError } from "./project.mjs";

/** The full path of a program, or undefined. */
export function which(program, searchPath = process.env.PATH ?? "") {
  const candidates = program.includes("/") ? [path.resolve(program)] : searchPath.split(":").filter(Boolean).map((folder) => path.join(folder, program));
  return candidates.find((file) => {
    try {
      fs.accessSync(file, fs.constants.X_OK);
      return fs.statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

/** stdout of a short command, or undefined if it fails. */
export function output(program, args, options = {}) {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8", timeout: 60_000, cwd: root, stdio: ["ignore", "pipe", "ignore"], ...options });
  return status === 0 ? stdout.trim() : undefined;
}

/** lines of a failed command that are shown */
const shownLines = 40;

/** Runs a command quietly; if it fails, its last lines are in the error. */
export function run(program, args, { failure, hint, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], ...options });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    child.on("error", (error) => reject(new SetupError(`${failure ?? program}: ${error.message}`)));
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(text);
      const said = text.trimEnd().split("\n").slice(-shownLines).join("\n");
      const line = [program, ...args].map((part) => (/[^\w./=:@-]/.test(part) ? `'${part}'` : part)).join(" ");
      reject(new SetupError([failure ?? `${program} failed`, `\n${said}\n`, `(${line} ended with ${signal ?? code})`, hint].filter(Boolean).join("\n")));
    });
  });
}

/**
 * Runs a command in the foreground and returns its exit code, 128 + n for a signal. Ctrl-C reaches it by the terminal; a signal
 * that is sent to us alone is handed on.
 */
export function foreground(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit", ...options });
    const handOn = (signal) => child.kill(signal);
    const wait = () => undefined;
    process.on("SIGINT", wait).on("SIGTERM", handOn).on("SIGHUP", handOn);
    child.on("error", (error) => reject(new SetupError(`${program} cannot be started: ${error.message}`)));
    child.on("close", (code, signal) => {
      process.off("SIGINT", wait).off("SIGTERM", handOn).off("SIGHUP", handOn);
      resolve(code ?? 128 + (signalNumbers[signal] ?? 0));
    });
  });
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

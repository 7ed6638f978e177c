import { getSystemErrorName } from "node:util";
import { formatNumber } from "./wording/number";

/**
 * The errors that readers meet. Each names the thing and says what to do (`hint`), and keeps Node's `code`, `errno` and `syscall`
 * where a system call failed.
 */

export interface ErrorDetails {
  /** EADDRINUSE, ENOENT, … or one of our own: ERR_CLOSED, ERR_ARGUMENT, ERR_LIMIT, ERR_FORBIDDEN, ERR_INTERRUPTED */
  code: string;
  /** what to do about it, a sentence */
  hint?: string;
  errno?: number;
  syscall?: string;
  cause?: unknown;
}

export class LabError extends Error {
  readonly code: string;
  declare readonly hint?: string;
  declare readonly errno?: number;
  declare readonly syscall?: string;

  constructor(message: string, details: ErrorDetails) {
    super(
      details.hint ? `${message} ${details.hint}` : message,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = new.target.name;
    this.code = details.code;
    if (details.hint !== undefined) this.hint = details.hint;
    if (details.errno !== undefined) this.errno = details.errno;
    if (details.syscall !== undefined) this.syscall = details.syscall;
  }
}

/** A value that cannot be meant. */
export class ArgumentError extends LabError {
  constructor(message: string, hint?: string) {
    super(message, { code: "ERR_ARGUMENT", hint });
  }
}

/** The Lab, Listener, … is closed. */
export class ClosedError extends LabError {
  constructor(thing: string, why = "") {
    super(`This ${thing} is closed${why ? ` (${why})` : ""}.`, {
      code: "ERR_CLOSED",
      hint: `Open another one: run the cell that made it again.`,
    });
  }
}

/** More than this machine or process can hold; nothing was started. */
export class LimitError extends LabError {
  constructor(message: string, hint: string) {
    super(message, { code: "ERR_LIMIT", hint });
  }
}

/** The machine does not allow what a Lab needs. */
export class ForbiddenError extends LabError {
  /** what had worked before, and the step that failed, in order */
  readonly steps: readonly { name: string; syscall: string; error: number }[];

  constructor(message: string, details: ErrorDetails & { steps: ForbiddenError["steps"] }) {
    super(message, details);
    this.steps = details.steps;
  }
}

/** The running cell was interrupted or failed. */
export class InterruptedError extends LabError {
  constructor(what: string) {
    super(`${what} was interrupted.`, { code: "ERR_INTERRUPTED" });
  }
}

/** "EPERM" for 1. */
export function errnoName(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : "OK";
}

/** A Node-style system error as the native addon throws it. */
export interface SystemError extends Error {
  code: string;
  errno: number;
  syscall: string;
}

export function isSystemError(error: unknown): error is SystemError {
  return (
    error instanceof Error &&
    typeof (error as SystemError).code === "string" &&
    typeof (error as SystemError).syscall === "string"
  );
}

/** Turns a system error into a LabError that names the thing; anything else is returned as it is. */
export function explain(error: unknown, what: string, hints: Record<string, string> = {}): unknown {
  if (!isSystemError(error) || error instanceof LabError) return error;
  return new LabError(`${what}: ${error.code} (${error.syscall}).`, {
    code: error.code,
    errno: error.errno,
    syscall: error.syscall,
    hint: hints[error.code] ?? standingHints[error.code],
    cause: error,
  });
}

const standingHints: Record<string, string> = {
  EMFILE:
    "This process has no descriptor left: close what you no longer need, or raise `ulimit -Hn` before starting Jupyter.",
  ENFILE: "The whole machine has no descriptor left (fs.file-max).",
  ENOMEM: "The kernel has no memory for it.",
  ENOBUFS: "The kernel has no buffer space for it.",
};

/** An integer in a range, or an ArgumentError that names it. */
export function requireInteger(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw new ArgumentError(
      `${name} must be an integer from ${formatNumber(least)} to ${formatNumber(most)}, not ${show(value)}.`,
    );
  }
  return value;
}

/** A finite number in a range, or an ArgumentError that names it. */
export function requireNumber(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== "number" || !(value >= least && value <= most)) {
    throw new ArgumentError(
      `${name} must be a number from ${formatNumber(least)} to ${formatNumber(most)}, not ${show(value)}.`,
    );
  }
  return value;
}

/** true or false, or an ArgumentError that names it. */
export function requireBoolean(value: unknown, name: string): boolean {
  if (typeof value !== "boolean") throw new ArgumentError(`${name} must be true or false, not ${show(value)}.`);
  return value;
}

/** Rejects option names that the call does not know: a misspelt option would be ignored in silence. */
export function requireKnown(options: object, known: readonly string[], call: string): void {
  if (typeof options !== "object" || options === null)
    throw new ArgumentError(`${call} takes an object of options, not ${show(options)}.`);
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new ArgumentError(`${call} has no option "${name}".`, `It has: ${known.join(", ")}.`);
  }
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

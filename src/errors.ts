import { getSystemErrorName } from "node:util";
import { formatNumber } from "./wording/number";

/**
 * The errors that readers meet. The message names the thing that failed. The hint says what to do and stands apart from
 * the message: print both with messageWithHint(). Where a system call failed, the error keeps Node's `code`, `errno`
 * and `syscall`.
 */

/** What a LabError knows besides its message. */
export interface ErrorDetails {
  /**
   * the errno's name (EADDRINUSE, ENOENT, …), or one of our own: ERR_CLOSED, ERR_ARGUMENT, ERR_LIMIT, ERR_FORBIDDEN,
   * ERR_KERNEL, ERR_INTERRUPTED
   */
  code: string;
  /** what to do about it: one or two sentences, not part of the message */
  hint?: string | undefined;
  /** the negative errno of the system call, as Node's own errors have it */
  errno?: number | undefined;
  /** the system call that failed, such as "bind" */
  syscall?: string | undefined;
  /** the error behind this one */
  cause?: unknown;
}

/** An error of this library. Its class is its name: `ArgumentError`, `ClosedError`, … */
export class LabError extends Error {
  /** the errno's name, or ERR_CLOSED, ERR_ARGUMENT, ERR_LIMIT, ERR_FORBIDDEN, ERR_INTERRUPTED */
  readonly code: string;
  /** what to do about it; absent where there is nothing to advise */
  declare readonly hint?: string;
  /** the negative errno of the system call that failed; absent where none did */
  declare readonly errno?: number;
  /** the system call that failed; absent where none did */
  declare readonly syscall?: string;

  /**
   * @param message names the thing that failed; one sentence, without the hint
   * @param details code, hint, and the system call that failed
   */
  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = details.code;
    // Own and enumerable, so that Node's report of an uncaught error shows them below the stack.
    if (details.hint !== undefined) this.hint = details.hint;
    if (details.errno !== undefined) this.errno = details.errno;
    if (details.syscall !== undefined) this.syscall = details.syscall;
  }
}

/** The caller gave an argument or option that the call does not accept. */
export class ArgumentError extends LabError {
  /**
   * @param message names the argument and the values that it accepts
   * @param hint what to do about it
   */
  constructor(message: string, hint?: string) {
    super(message, { code: "ERR_ARGUMENT", hint });
  }
}

/** The Lab, Listener, Wire, … is closed. */
export class ClosedError extends LabError {
  /**
   * @param thing what is closed: "Lab", "Listener", …
   * @param why why it was closed, if the caller did not close it
   */
  constructor(thing: string, why = "") {
    super(`This ${thing} is closed${why ? ` (${why})` : ""}.`, {
      code: "ERR_CLOSED",
      hint: "Open another one: run the cell that made it again.",
    });
  }
}

/** The request is larger than this machine or this process allows. Nothing was started. */
export class LimitError extends LabError {
  /**
   * @param message names the request and the limit
   * @param hint how to ask for less, or how to raise the limit
   */
  constructor(message: string, hint: string) {
    super(message, { code: "ERR_LIMIT", hint });
  }
}

/** This version of the Linux kernel does not have what was requested. The same call works on another kernel, or with root's rights. */
export class KernelError extends LabError {
  /** the kernel function that is older here, or that forbids it */
  readonly kernel: string;

  /**
   * @param message names what this kernel does not have
   * @param hint what to do about it
   * @param kernel the kernel function behind it
   */
  constructor(message: string, hint: string, kernel: string) {
    super(message, { code: "ERR_KERNEL", hint });
    this.kernel = kernel;
  }
}

/** The machine does not allow what a Lab needs. */
export class ForbiddenError extends LabError {
  /**
   * the steps of making a Lab, in order: those that worked (`error` 0) and the one that failed (`error` is its errno)
   */
  readonly steps: readonly {
    /** "user-namespace", "veth", … */
    name: string;
    /** the system call that failed; "" if none did */
    syscall: string;
    /** its errno; 0 if the step worked */
    error: number;
  }[];

  /**
   * @param message names the step that failed, its errno, and the rule that forbids it
   * @param details code, hint, and all steps
   */
  constructor(message: string, details: ErrorDetails & { steps: ForbiddenError["steps"] }) {
    super(message, details);
    this.steps = details.steps;
  }
}

/** The running cell was interrupted, or it failed. */
export class InterruptedError extends LabError {
  /** @param what what was interrupted, as the subject of a sentence: "connect()" */
  constructor(what: string) {
    super(`${what} was interrupted.`, { code: "ERR_INTERRUPTED" });
  }
}

/** The hint of an error, ours or not; undefined without one. */
export function hintOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("hint" in error)) return undefined;
  return typeof error.hint === "string" && error.hint !== "" ? error.hint : undefined;
}

/**
 * What a terminal shows of an error: its message, and its hint on a line of its own ("→ Choose another port.").
 * Anything that is not an Error is shown as text.
 */
export function messageWithHint(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const hint = hintOf(error);
  return hint === undefined ? message : `${message}\n→ ${hint}`;
}

/**
 * The name of an errno: "EPERM" for 1, "OK" for 0.
 * @param errno a positive errno, as the kernel's headers have it
 */
export function errnoName(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : "OK";
}

/** A system error as Node and the native addon throw it. */
export interface SystemError extends Error {
  /** the errno's name: "EMFILE" */
  code: string;
  /** the negative errno */
  errno: number;
  /** the system call that failed */
  syscall: string;
}

/** Whether `error` carries the `code` and the `syscall` of a system call that failed. */
export function isSystemError(error: unknown): error is SystemError {
  return (
    error instanceof Error &&
    typeof (error as SystemError).code === "string" &&
    typeof (error as SystemError).syscall === "string"
  );
}

/**
 * Turns a system error into a LabError that names the thing. Returns anything else, and a LabError, as it is.
 * @param what the subject of the message: "The listener on port 8080"
 * @param hints the hint for each errno name; EMFILE, ENFILE, ENOMEM and ENOBUFS have one without it
 */
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
    "This process has no free descriptor. Close what you no longer need, or raise `ulimit -Hn` before you start Jupyter.",
  ENFILE: "The whole machine has no free descriptor (fs.file-max).",
  ENOMEM: "The kernel has no free memory for this.",
  ENOBUFS: "The kernel has no free buffer space for this.",
};

/** Returns `value` if it is an integer from `least` to `most`. @throws ArgumentError that names it and the range */
export function requireInteger(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw new ArgumentError(
      `${name} must be an integer from ${formatNumber(least)} to ${formatNumber(most)}, not ${show(value)}.`,
    );
  }
  return value;
}

/** Returns `value` if it is a number from `least` to `most`. @throws ArgumentError that names it and the range */
export function requireNumber(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== "number" || !(value >= least && value <= most)) {
    throw new ArgumentError(
      `${name} must be a number from ${formatNumber(least)} to ${formatNumber(most)}, not ${show(value)}.`,
    );
  }
  return value;
}

/** Returns `value` if it is true or false. @throws ArgumentError that names it */
export function requireBoolean(value: unknown, name: string): boolean {
  if (typeof value !== "boolean") throw new ArgumentError(`${name} must be true or false, not ${show(value)}.`);
  return value;
}

/**
 * Rejects option names that the call does not know: without this check, a misspelt option would have no effect and no
 * error.
 * @param call the call as the message names it: "spawn()"
 * @throws ArgumentError that lists the options
 */
export function requireKnown(options: unknown, known: readonly string[], call: string): void {
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

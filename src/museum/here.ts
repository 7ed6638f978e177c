/** Runs a program on the kernel that this process runs on, as boot() runs it on another: in a process of its own, with stdin and a result. */
import { type ChildProcess, spawn } from "node:child_process";
import { release } from "node:os";
import type { Readable, Writable } from "node:stream";
import { InterruptedError, LabError } from "../errors";
import { forget, own, whileClosing } from "../lab/owned";
import { killGroup } from "../lab/process-group";
import { native } from "../native";
import { longestTimer } from "../waiting/timeout";
import { formatTime } from "../wording/number";
import type { BootEnd, BootOptions } from "./boot";

/** A process that is ended with all its children. */
class HereProcess {
  readonly ended: Promise<void>;
  private readonly child: ChildProcess;

  constructor(command: readonly string[], options: BootOptions) {
    const [program = "", ...args] = command;
    this.child = spawn(program, args, {
      cwd: options.directory,
      env: options.environment,
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      detached: true,
    });
    this.ended = new Promise((resolve) => {
      this.child.once("error", resolve);
      this.child.once("close", resolve);
    });
    const input = this.child.stdio[0] as Writable;
    // EPIPE: it has ended before it read all of it; its exit status tells
    input.on("error", () => undefined).end(options.input);
    this.stream(1).on("data", (part: Buffer) => options.onOutput?.("stdout", part));
    this.stream(2).on("data", (part: Buffer) => options.onOutput?.("stderr", part));
  }

  stream(at: number): Readable {
    return this.child.stdio[at] as Readable;
  }

  get status(): number | null {
    return this.child.exitCode;
  }

  /** Ends it. Idempotent. */
  async close(): Promise<void> {
    forget(this);
    if (this.child.exitCode === null && this.child.signalCode === null) killGroup(this.child.pid);
    await whileClosing(this.ended);
  }
}

/**
 * @throws LabError ERR_TIMEOUT: it took longer than `timeout`
 * @throws InterruptedError `signal` was aborted, or the cell was interrupted
 */
export async function runHere(command: readonly string[], options: BootOptions = {}): Promise<BootEnd> {
  const { timeout = 300_000, signal, what = "the command" } = options;
  if (signal?.aborted) throw new InterruptedError("The function");
  const startedAt = native.now();
  const stopped = { late: false, early: false };
  const child = own(new HereProcess(command, options));
  const close = child.close.bind(child);
  child.close = () => {
    stopped.early = true;
    return close();
  };
  const stop = () => void child.close();
  signal?.addEventListener("abort", stop);
  const timer =
    timeout < longestTimer
      ? setTimeout(() => {
          stopped.late = true;
          void close();
        }, timeout)
      : undefined;
  const parts: Buffer[] = [];
  child.stream(3).on("data", (part: Buffer) => parts.push(part));
  options.onRunning?.();
  try {
    await child.ended;
    if (stopped.late)
      throw new LabError(`Linux ${release()} ran ${what}, which did not end within ${formatTime(timeout)}.`, {
        code: "ERR_TIMEOUT",
        hint: "Give it more time (timeout, in ms), or less to do.",
      });
    if (stopped.early) throw new InterruptedError("The function");
    return { status: child.status, bootTime: 0, duration: native.now() - startedAt, result: Buffer.concat(parts) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    await close();
  }
}

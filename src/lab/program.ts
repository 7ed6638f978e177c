/**
 * Programs that run inside the Lab, each with its own limits. Any real server can run there and be measured like ours.
 */
import { existsSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { type Readable, type Writable } from "node:stream";
import { ArgumentError, LabError, requireInteger, requireKnown } from "../errors";
import { native } from "../native";
import { valueAt } from "../native/column";
import type { LabHost } from "./host";
import type { Closable } from "./owned";
import { findProgram, searchPath } from "./search-path";
import { formatNumber } from "../wording/number";

/** Limits of a program: resources of setrlimit(2). Each value becomes both the soft and the hard limit. */
export interface Limits {
  /** RLIMIT_NOFILE: open file descriptors */
  nofile?: number;
  /** RLIMIT_NPROC: processes and threads of this user */
  nproc?: number;
  /** RLIMIT_AS: bytes of address space */
  as?: number;
  /** RLIMIT_CPU: seconds of CPU time */
  cpu?: number;
  /** RLIMIT_FSIZE: bytes of a file that it writes */
  fsize?: number;
  /** RLIMIT_CORE: bytes of a core dump */
  core?: number;
  /** RLIMIT_STACK: bytes of the main thread's stack */
  stack?: number;
  /** RLIMIT_MEMLOCK: bytes of locked memory */
  memlock?: number;
}

/** Resource numbers of the Linux ABI (asm-generic/resource.h). */
const resources: Record<keyof Limits, number> = {
  cpu: 0,
  fsize: 1,
  stack: 3,
  core: 4,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
};

/** How a program is started in the Lab. */
export interface SpawnOptions {
  /** its limits; default: the limits of the lab host, which inherits them from this process */
  limits?: Limits;
  /** its working directory; default: the one of this process */
  cwd?: string;
  /**
   * replaces its whole environment; a variable that is undefined is left out. Default: the environment of this
   * process, with /usr/sbin and the like in its PATH
   */
  env?: Record<string, string | undefined>;
}

/** How a program ended: with an exit code, or by a signal. */
export interface Exit {
  /** its exit code; null if a signal ended it */
  code: number | null;
  /** the signal that ended it ("SIGKILL"); null if it exited */
  signal: NodeJS.Signals | null;
}

/** Everything that a program wrote, as UTF-8. */
export interface ProgramOutput {
  /** to its standard output */
  stdout: string;
  /** to its standard error */
  stderr: string;
}

/** A program that runs inside the Lab. It ends with the Lab. */
export class Program implements Closable {
  /** its standard input */
  readonly stdin: Writable;
  /** its standard output */
  readonly stdout: Readable;
  /** its standard error */
  readonly stderr: Readable;
  /** Resolves when the program has ended. Never rejects. */
  readonly exited: Promise<Exit>;
  private ended = false;

  private constructor(
    private readonly host: LabHost,
    private readonly id: number,
    /** the command that started it, as spawn() was given it */
    readonly command: string,
    /** its pid outside the Lab, in the PID namespace of this process; 0 where /proc is not mounted */
    readonly pid: number,
    fds: Int32Array,
  ) {
    this.stdin = new net.Socket({ fd: valueAt(fds, 0), readable: false, writable: true });
    this.stdout = new net.Socket({ fd: valueAt(fds, 1), readable: true, writable: false });
    this.stderr = new net.Socket({ fd: valueAt(fds, 2), readable: true, writable: false });
    // A program may end before it has read its input: then writing fails (EPIPE), and that is no error of this process.
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.on("error", () => undefined);
    this.exited = this.watch(valueAt(fds, 3));
  }

  /**
   * Starts a program; lab.spawn() calls it. The Lab owns the program.
   * @param command a name that is looked up in the PATH, or a path
   * @param args its arguments, without the name
   * @throws LabError ENOENT: not installed; EACCES: may not be executed; EPERM: a limit above the hard limit of this
   * process; ERR_FORBIDDEN: a guest of the Lab
   * @throws ArgumentError; ClosedError
   */
  static async start(
    host: LabHost,
    command: string,
    args: string[] = [],
    options: SpawnOptions = {},
  ): Promise<Program> {
    requireKnown(options, ["limits", "cwd", "env"], "spawn()");
    if (typeof command !== "string" || command === "")
      throw new ArgumentError("spawn() takes the name of a program first.");
    if (!Array.isArray(args) || args.some((argument) => typeof argument !== "string"))
      throw new ArgumentError("spawn() takes an array of strings as the program's arguments.");
    const variables = options.env ?? { ...process.env, PATH: searchPath() };
    const words = [found(command, variables), ...args];
    if (words.some((word) => word.includes("\0")))
      throw new ArgumentError("An argument of a program cannot contain a NUL character.");
    const limits = Object.entries(options.limits ?? {}).map(([name, value]) => {
      if (!(name in resources))
        throw new ArgumentError(`A program has no limit "${name}".`, `It has: ${Object.keys(resources).join(", ")}.`);
      const resource = resources[name as keyof Limits];
      return { resource, value: requireInteger(value, `limits.${name}`, 0, Number.MAX_SAFE_INTEGER) };
    });
    const environment = Object.entries(variables).flatMap(([name, value]) =>
      value === undefined ? [] : [{ variable: `${name}=${value}` }],
    );
    const request = {
      directory: options.cwd ?? process.cwd(),
      limits,
      arguments: words.map((word) => ({ word })),
      environment,
    };
    try {
      const { reply, fds } = await host.request("spawn", request, command);
      return host.keep(new Program(host, reply.id, command, reply.pid, fds));
    } catch (error) {
      throw error instanceof LabError ? explainStart(error, command, options) : error;
    }
  }

  /**
   * Sends a signal to its process group.
   * @param signal the name ("SIGTERM") or the number of a signal; default SIGTERM
   * @throws LabError ESRCH: the program has ended
   * @throws ArgumentError; ClosedError
   */
  async kill(signal: NodeJS.Signals | number = "SIGTERM"): Promise<void> {
    const numbers: Partial<Record<string, number>> = os.constants.signals;
    const number = typeof signal === "number" ? signal : numbers[signal];
    if (number === undefined) throw new ArgumentError(`There is no signal named ${String(signal)}.`);
    await this.host.request("kill", { id: this.id, signal: number }, `${this.command} (pid ${this.pid})`);
  }

  /**
   * Waits until the program ends. Resolves to how it ended and to everything that it wrote (UTF-8) to its two outputs.
   */
  async output(): Promise<Exit & ProgramOutput> {
    const [stdout, stderr, exit] = await Promise.all([readAll(this.stdout), readAll(this.stderr), this.exited]);
    return { ...exit, stdout, stderr };
  }

  /** Ends the program (SIGKILL to its process group) and waits for its end. Idempotent. */
  async close(): Promise<void> {
    if (!this.ended) {
      try {
        // The Lab, too, calls this when it closes. It takes no requests then; when its helper ends, the kernel ends the
        // program with it.
        if (!this.host.closed) await this.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof LabError)) throw error;
      }
      if (!this.host.closed) await this.exited;
    }
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.destroy();
    this.host.drop(this);
  }

  private async watch(status: number): Promise<Exit> {
    try {
      await native.poll(status, 1, Infinity).promise;
      const buffer = new Uint8Array(64);
      const [kind, number] = Buffer.from(buffer.subarray(0, native.read(status, buffer)))
        .toString()
        .split(" ");
      if (kind === "exit") return { code: Number(number), signal: null };
      // an empty answer: the lab host has ended, and the kernel has ended the program with it
      const signal = kind === "signal" ? Number(number) : os.constants.signals.SIGKILL;
      return {
        code: null,
        signal: (Object.entries(os.constants.signals).find(([, value]) => value === signal)?.[0] ??
          "SIGKILL") as NodeJS.Signals,
      };
    } finally {
      this.ended = true;
      native.close(status);
    }
  }
}

async function readAll(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** The command, or the path of one that the environment's PATH lacks and that a system folder has. */
function found(command: string, variables: Record<string, string | undefined>): string {
  return isInPath(command, variables) ? command : (findProgram(command, variables.PATH ?? "") ?? command);
}

function isInPath(command: string, { PATH = "" }: Record<string, string | undefined>): boolean {
  return (
    command.includes("/") || PATH.split(path.delimiter).some((directory) => existsSync(path.join(directory, command)))
  );
}

function explainStart(error: LabError, command: string, options: SpawnOptions): LabError {
  const { code, errno, syscall } = error;
  const because = (message: string, hint: string) =>
    new LabError(message, { code, errno, syscall, hint, cause: error });
  if (syscall === "chdir")
    return because(`The directory ${options.cwd} cannot be entered: ${code}.`, "Give another cwd.");
  if (syscall === "setrlimit") {
    const asked = Object.entries(options.limits ?? {})
      .map(([name, value]) => `${name} ${formatNumber(Number(value))}`)
      .join(", ");
    return because(
      `The limits cannot be set: ${asked} (${code}).`,
      `A process can lower its hard limits but not raise them. The hard limit of descriptors (nofile) is ${formatNumber(native.descriptors().hard)} here; \`ulimit -Ha\` shows all limits.`,
    );
  }
  // execvp(3) fails with EACCES if it cannot search a directory of the PATH, even if no directory has the program
  if (code === "ENOENT" || (code === "EACCES" && !isInPath(command, options.env ?? process.env))) {
    return new LabError(`The program "${command}" is not installed, or not in the PATH.`, {
      code: "ENOENT",
      syscall,
      hint: "Install it, or give its full path.",
      cause: error,
    });
  }
  if (code === "EACCES")
    return because(`The program "${command}" may not be executed.`, "Check its permissions: `ls -l` shows them.");
  return error;
}

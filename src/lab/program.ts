/**
 * Programs that run inside the Lab, with limits of their own: any real server can be put there and measured like ours.
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
import { formatNumber } from "../wording/number";

/** setrlimit(2) resources; each is set as soft and hard limit alike. */
export interface Limits {
  /** descriptors */
  nofile?: number;
  /** processes of this user */
  nproc?: number;
  /** bytes of address space */
  as?: number;
  /** seconds of CPU time */
  cpu?: number;
  /** bytes of a written file */
  fsize?: number;
  core?: number;
  stack?: number;
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

export interface SpawnOptions {
  limits?: Limits;
  /** default: this process's */
  cwd?: string;
  /** replaces the environment; default: this process's */
  env?: Record<string, string | undefined>;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export class Program implements Closable {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when it has ended. Never rejects. */
  readonly exited: Promise<Exit>;
  private ended = false;

  private constructor(
    private readonly host: LabHost,
    private readonly id: number,
    readonly command: string,
    /** as this process sees it; 0 where /proc is not mounted */
    readonly pid: number,
    fds: Int32Array,
  ) {
    this.stdin = new net.Socket({ fd: valueAt(fds, 0), readable: false, writable: true });
    this.stdout = new net.Socket({ fd: valueAt(fds, 1), readable: true, writable: false });
    this.stderr = new net.Socket({ fd: valueAt(fds, 2), readable: true, writable: false });
    // A program that does not read its input is no error of ours.
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.on("error", () => undefined);
    this.exited = this.watch(valueAt(fds, 3));
  }

  /** @throws LabError ENOENT: not installed; EPERM: a limit above this process's hard limit */
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
    const words = [command, ...args];
    if (words.some((word) => word.includes("\0")))
      throw new ArgumentError("An argument of a program cannot contain a NUL character.");
    const limits = Object.entries(options.limits ?? {}).map(([name, value]) => {
      if (!(name in resources))
        throw new ArgumentError(`There is no limit "${name}".`, `There are: ${Object.keys(resources).join(", ")}.`);
      const resource = resources[name as keyof Limits];
      return { resource, value: requireInteger(value, `limits.${name}`, 0, Number.MAX_SAFE_INTEGER) };
    });
    const environment = Object.entries(options.env ?? process.env).flatMap(([name, value]) =>
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

  /** @throws LabError ESRCH if it has ended */
  async kill(signal: NodeJS.Signals | number = "SIGTERM"): Promise<void> {
    const numbers: Partial<Record<string, number>> = os.constants.signals;
    const number = typeof signal === "number" ? signal : numbers[signal];
    if (number === undefined) throw new ArgumentError(`There is no signal ${String(signal)}.`);
    await this.host.request("kill", { id: this.id, signal: number }, `${this.command} (pid ${this.pid})`);
  }

  /** Everything it prints until it ends. */
  async output(): Promise<Exit & { stdout: string; stderr: string }> {
    const [stdout, stderr, exit] = await Promise.all([readAll(this.stdout), readAll(this.stderr), this.exited]);
    return { ...exit, stdout, stderr };
  }

  /** Ends it (SIGKILL to its process group) and waits. Idempotent. */
  async close(): Promise<void> {
    if (!this.ended) {
      try {
        // close() of the Lab comes through here after the Lab has stopped taking requests; its helper's end ends us too.
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
      await native.poll(status, 1, -1).promise;
      const buffer = new Uint8Array(64);
      const [kind, number] = Buffer.from(buffer.subarray(0, native.read(status, buffer)))
        .toString()
        .split(" ");
      if (kind === "exit") return { code: Number(number), signal: null };
      // an empty answer: the host has gone, and with it the program
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
      `These limits cannot be set: ${asked} (${code}).`,
      `A hard limit can be lowered, not raised. Yours of descriptors (nofile) is ${formatNumber(native.descriptors().hard)}; \`ulimit -Ha\` shows all.`,
    );
  }
  // execvp(3) says EACCES where it could not look into a directory of the PATH, although the program is nowhere
  if (code === "ENOENT" || (code === "EACCES" && !isInPath(command, options.env ?? process.env))) {
    return new LabError(`The program "${command}" is not installed, or not in the PATH.`, {
      code: "ENOENT",
      syscall,
      hint: "Install it, or give its full path.",
      cause: error,
    });
  }
  if (code === "EACCES") return because(`The program "${command}" may not be executed.`, "Look at its permissions.");
  return error;
}

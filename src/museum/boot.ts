/**
 * Boots one installed kernel, runs one command on it, and ends it. The guest sees the machine's files as they are, with the rights of
 * this user, and writes them for real; /tmp, /run, /dev/shm and its network are its own.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { ArgumentError, explain, InterruptedError, LabError, requireInteger } from "../errors";
import { forget, own, whileClosing } from "../lab/owned";
import { kernelBootProgram, kernelInitProgram, native } from "../native";
import { longestTimer, requireTimeout } from "../waiting/timeout";
import { formatTime } from "../wording/number";
import { type Kernel, kernelsFolder, projectFolder, requireUnchanged } from "./kernel";
import { memoryFile } from "./memory-file";
import { encodeTask, hiddenFolders } from "./task";

/** How a command is run on another kernel. */
export interface BootOptions {
  /** ms from the start of the kernel to the end of the command; Infinity: no time limit. Default 300,000 */
  timeout?: number;
  /** bytes of memory that the guest has; default 2 GiB, or less where the machine has less */
  memory?: number | undefined;
  /** true: the command runs as the guest's root; default false: as an ordinary user of the guest */
  root?: boolean;
  /** the command's limit of open files; default 20,000 */
  descriptors?: number;
  /** the command's working directory; default: this process's */
  directory?: string;
  /** whole environment of the command; default: this process's, without what names places that the guest does not have */
  environment?: Readonly<Record<string, string>>;
  /** folders that the guest is to see although they are below /tmp, /run or /dev/shm, besides the project and the working directory */
  keep?: readonly string[];
  /** what the command reads from its stdin; default: nothing */
  input?: Buffer | undefined;
  /** true: what the command writes to descriptor 3 is given back */
  result?: boolean;
  /** what the command is, in messages; default "the command" */
  what?: string;
  /** ends the kernel early */
  signal?: AbortSignal | undefined;
  /** told of output as it comes */
  onOutput?: ((stream: "stdout" | "stderr", part: Buffer) => void) | undefined;
  /** told when the command begins */
  onRunning?: (() => void) | undefined;
}

/** How a command ended on another kernel. */
export interface BootEnd {
  /** exit status of the command; null: a signal ended it */
  status: number | null;
  /** number of the signal that ended the command; absent: none did */
  signal?: number;
  /** ms from the start of the kernel to the start of the command */
  bootTime: number;
  /** ms from the start of the kernel to its end */
  duration: number;
  /** what the command wrote to descriptor 3, where it was asked for */
  result?: Buffer;
}

/** those the workbook needs; one that is built in, or that this kernel does not have, is left out */
const modules = ["ipv6", "veth", "tcp_diag", "af_packet"];
/** of the environment: names of places that the guest does not have */
const placesOutside = ["TMPDIR", "TMP", "TEMP", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK"];
/** the guest's ordinary user where this process is root */
const ordinaryUser = 1000;
/** a guest's folder: its task, its result, its management socket; then our pid */
const folderName = "one-listener-kernel-";
/** ms */
const staleAfter = 3_600_000;
/** characters of the kernel's own messages that are kept */
const mostConsole = 20_000;

/**
 * @param command program and arguments
 * @throws ArgumentError, LimitError before anything is started
 * @throws LabError ERR_TIMEOUT: it took longer than `timeout`; ERR_GUEST: the kernel ended before the command did: its last words
 * @throws InterruptedError `signal` was aborted, or the cell was interrupted
 */
export async function boot(kernel: Kernel, command: readonly string[], options: BootOptions = {}): Promise<BootEnd> {
  const timeout = requireTimeout(options.timeout ?? 300_000);
  if (command.length === 0) throw new ArgumentError("There is no command to run on the kernel.");
  if (options.signal?.aborted) throw new InterruptedError("The kernel");
  requireUnchanged(kernel);
  const guest = new Guest(kernel, command, options);
  own(guest);
  const interrupt = () => void guest.close();
  options.signal?.addEventListener("abort", interrupt);
  try {
    return await guest.end(timeout);
  } finally {
    options.signal?.removeEventListener("abort", interrupt);
    await guest.close();
  }
}

/** A kernel that runs. */
class Guest {
  private readonly folder: string;
  private readonly child: ChildProcess;
  private readonly startedAt = native.now();
  private readonly ended: Promise<void>;
  private runningAt?: number;
  private report = "";
  private console = "";
  private interrupted = false;
  private closing?: Promise<void>;
  private failure?: Error;

  constructor(
    private readonly kernel: Kernel,
    command: readonly string[],
    private readonly options: BootOptions,
  ) {
    const memory = memoryFile(options.memory);
    this.folder = makeFolder();
    try {
      this.writeTask(command);
      this.child = this.start(memory);
    } catch (error) {
      rmSync(this.folder, { recursive: true, force: true });
      throw error;
    }
    this.ended = this.follow();
  }

  /** Ends the kernel, if it still runs, and removes what it leaves. Idempotent. */
  close(): Promise<void> {
    this.interrupted ||= this.child.exitCode === null && this.child.signalCode === null;
    this.closing ??= whileClosing(this.clear());
    return this.closing;
  }

  /** Waits for the command's end. */
  async end(timeout: number): Promise<BootEnd> {
    const stopped = { late: false };
    const timer =
      timeout < longestTimer ? setTimeout(() => ((stopped.late = true), void this.close()), timeout) : undefined;
    await this.ended;
    clearTimeout(timer);
    const result = this.options.result && !this.interrupted ? readFileSync(this.resultFile) : undefined;
    if (this.failure) throw this.failure;
    const [, how, value] = /^(exit|signal) (\d+)$/m.exec(this.report) ?? [];
    if (how !== undefined && this.runningAt !== undefined) {
      return {
        status: how === "exit" ? Number(value) : null,
        ...(how === "signal" && { signal: Number(value) }),
        bootTime: this.runningAt - this.startedAt,
        duration: native.now() - this.startedAt,
        ...(result && { result }),
      };
    }
    if (stopped.late) throw this.tooLate(timeout);
    if (this.interrupted) throw new InterruptedError(`Linux ${this.kernel.version}`);
    throw this.died();
  }

  private get resultFile(): string {
    return path.join(this.folder, "result");
  }

  private writeTask(command: readonly string[]): void {
    const {
      root = false,
      descriptors = 20_000,
      directory = process.cwd(),
      keep = [],
      input,
      result,
      environment,
    } = this.options;
    requireInteger(descriptors, "descriptors", 64, 1_000_000);
    if (input) writeFileSync(path.join(this.folder, "input"), input);
    if (result) writeFileSync(this.resultFile, "");
    const task = {
      modules: path.join(this.kernel.folder, "modules"),
      load: modules,
      keep: hiddenFolders([projectFolder, directory, path.dirname(process.execPath), ...keep]),
      directory,
      input: input && path.join(this.folder, "input"),
      result: result ? this.resultFile : undefined,
      environment: environment ?? inheritedEnvironment(),
      command,
      descriptors,
      ...(root ? { user: 0, group: 0 } : ordinary()),
    };
    writeFileSync(path.join(this.folder, "task"), encodeTask(task));
  }

  /** Descriptors: 1 and 2 the kernel's own messages, 3 and 4 the command's output, 5 what the first process reports. */
  private start(memory: { folder: string; size: number }): ChildProcess {
    const libraries = path.join(this.kernel.folder, "libc");
    const args = [
      existsSync(libraries) ? libraries : "",
      path.join(this.kernel.folder, "linux"),
      `mem=${Math.floor(memory.size / 2 ** 20)}M`,
      "rootfstype=hostfs",
      "root=/dev/root",
      "rw",
      quoted(`init=${kernelInitProgram}`),
      quoted(`ONE_LISTENER_TASK=${path.join(this.folder, "task")}`),
      `uml_dir=${this.folder}/`,
      "con=null",
      "con0=null,fd:1",
      "con1=null,fd:3",
      "con2=null,fd:4",
      "con3=null,fd:5",
      "quiet",
    ];
    const env = { PATH: process.env.PATH, HOME: this.folder, TMPDIR: memory.folder };
    return spawn(kernelBootProgram, args, {
      // the dynamic linker's path is relative to it, where the kernel has its own
      cwd: this.kernel.folder,
      env,
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe"],
      // Ctrl-C is for us: we end the kernel
      detached: true,
    });
  }

  /** Resolves when the kernel has ended and everything it said was read. */
  private follow(): Promise<void> {
    const stream = (at: number) => this.child.stdio[at] as Readable;
    const hear = (part: Buffer) => (this.console = (this.console + part.toString("latin1")).slice(-mostConsole));
    stream(1).on("data", hear);
    stream(2).on("data", hear);
    stream(3).on("data", (part: Buffer) => this.options.onOutput?.("stdout", part));
    stream(4).on("data", (part: Buffer) => this.options.onOutput?.("stderr", part));
    stream(5).on("data", (part: Buffer) => {
      this.report += part.toString("latin1");
      if (this.runningAt !== undefined || !this.report.startsWith("running\n")) return;
      this.runningAt = native.now();
      this.options.onRunning?.();
    });
    return new Promise((resolve) => {
      this.child.once("error", (error) => {
        this.failure = new LabError(`The kernel's boot program cannot be started: ${error.message}.`, {
          code: "ERR_GUEST",
          hint: "It is built with the addon: run `npm run build`.",
        });
        resolve();
      });
      this.child.once("close", () => {
        resolve();
      });
    });
  }

  private async clear(): Promise<void> {
    // kernel-boot ends all processes of the kernel before it ends itself
    this.child.kill("SIGTERM");
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
    forget(this);
  }

  private tooLate(timeout: number): LabError {
    const { what = "the command" } = this.options;
    const fault = this.runningAt === undefined ? "did not come up" : `ran ${what}, which did not end`;
    return new LabError(`Linux ${this.kernel.version} ${fault} within ${formatTime(timeout)}.`, {
      code: "ERR_TIMEOUT",
      hint: "Give it more time (timeout, in ms), or less to do: a user-mode kernel has one CPU, and its system calls are slow.",
    });
  }

  private died(): LabError {
    const [, why] = /^failed (.*)$/m.exec(this.report) ?? [];
    if (why !== undefined)
      return new LabError(`Linux ${this.kernel.version} booted, but could not begin: ${why}.`, { code: "ERR_GUEST" });
    const lines = this.console
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    const panic =
      lines.find((line) => /panic|tmp.*noexec|Out of memory|cannot be started/i.test(line)) ??
      lines.at(-1) ??
      "it said nothing";
    const exit = this.child.exitCode === null ? "" : ` (exit status ${this.child.exitCode})`;
    return new LabError(`Linux ${this.kernel.version} ended before the command did${exit}: ${panic}`, {
      code: "ERR_GUEST",
    });
  }
}

/** A folder for what we and the guest's first process tell each other. Not below /dev, which is the guest's own before anything of ours runs. */
function makeFolder(): string {
  let problem: unknown;
  for (const place of [os.tmpdir(), "/tmp", "/var/tmp", kernelsFolder].filter((each) => !each.startsWith("/dev/"))) {
    try {
      sweep(place);
      return mkdtempSync(path.join(place, `${folderName}${process.pid}-`));
    } catch (error) {
      problem = error;
    }
  }
  throw explain(problem, "A folder for the kernel cannot be made", {
    ENOENT: "Set the variable TMPDIR to a folder that can be written.",
  });
}

/** Removes this user's folders whose process was killed before it could: an hour later, since a pid of another container tells nothing. */
function sweep(folder: string): void {
  const mine = process.geteuid?.();
  for (const name of readdirSync(folder).filter((each) => each.startsWith(folderName))) {
    const place = path.join(folder, name);
    const { uid, mtimeMs } = statSync(place, { throwIfNoEntry: false }) ?? { uid: -1, mtimeMs: 0 };
    const pid = name.slice(folderName.length).split("-")[0] ?? "";
    if (uid === mine && Date.now() - mtimeMs > staleAfter && !existsSync(`/proc/${pid}`))
      rmSync(place, { recursive: true, force: true });
  }
}

/** One argument of the kernel's command line. @throws ArgumentError the path holds a double quote, which a command line cannot */
function quoted(argument: string): string {
  if (argument.includes('"'))
    throw new ArgumentError(
      "The project lies in a folder whose name has a double quote, which a kernel's command line cannot hold.",
    );
  return /\s/.test(argument) ? `"${argument}"` : argument;
}

/** The guest's ordinary user: this process's, who owns the same files there, unless that is root. */
function ordinary(): { user: number; group: number } {
  const [user = 0, group = 0] = [process.getuid?.(), process.getgid?.()];
  return user === 0 ? { user: ordinaryUser, group: ordinaryUser } : { user, group };
}

/** This process's environment, without what names places that the guest does not have; its home folder is in memory. */
function inheritedEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && !placesOutside.includes(name)) environment[name] = value;
  return { ...environment, HOME: "/tmp" };
}

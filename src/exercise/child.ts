/** Runs a student's function in a process of its own, with bounds on time, memory, processes and output; the grader puts a sandbox around it. */
import { ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import type { Lab } from "../front-door";
import { native } from "../native";
import type { Attempt, Running, StartOptions, TaskEvent } from "./attempt";
import { descendants } from "./descendants";
import { FromSolution, largestMessage, ToSolution, withinSolution } from "./messages";
import { quoted, SolutionError } from "./failure";
import type { Fate } from "./result";
import { formatNumber } from "../wording/number";

export interface Bounds {
  /** ms that one process may live from the moment that its module has been evaluated; as long again at most to get there */
  time: number;
  /** bytes resident, all processes together */
  memory: number;
  processes: number;
  /** bytes printed; the beginning is kept */
  output: number;
  /** descriptors of one process, and of all together: what the kernel keeps behind them (unread data, say) is in nobody's memory */
  nofile: number;
}

export const defaultBounds: Bounds = { time: 30_000, memory: 700 << 20, processes: 24, output: 1 << 20, nofile: 8192 };

/** The program and arguments that run `argv` within `bounds`: a sandbox, or the bare command. */
export type Wrap = (argv: readonly string[], bounds: Bounds) => readonly string[];

const runner = path.join(__dirname, "runner.js");
/** MB; V8 gives up with a message of its own, which is kinder than a kill */
const heap = 256;
const kept = 16_384;
const superviseInterval = 50;
const startPatience = 15_000;
const mostEvents = 10_000;
/** brackets within brackets: code that walks through an answer must not run out of stack */
const deepest = 100;
const stopPatience = 2000;

/** Limits that need no sandbox: of descriptors, of processor time (a loop must not outlive whoever started it), and no core files. */
export const bare: Wrap = (argv, { nofile, time }) => [
  "prlimit",
  `--nofile=${nofile}`,
  "--core=0",
  `--cpu=${Math.ceil(time / 1000) + 5}`,
  ...argv,
];

/** How deep the brackets of a line of JSON lie within one another. */
function nesting(json: string): number {
  let depth = 0;
  let most = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/g)) {
    if (token === "[" || token === "{") most = Math.max(most, ++depth);
    else if (token === "]" || token === "}") depth--;
  }
  return most;
}

export class InChild implements Attempt {
  output = "";
  private readonly all: Child[] = [];
  private closed = false;

  /** @param javascript the solution, compiled; `name` its function */
  constructor(
    private readonly javascript: string,
    private readonly name: string,
    private readonly wrap: Wrap = bare,
    private readonly bounds: Bounds = defaultBounds,
  ) {}

  async start<Answer>(lab: Lab | undefined, task: object, options: StartOptions): Promise<Running<Answer>> {
    const guest = lab && (await lab.guest(options.rights));
    if (this.closed) {
      if (guest !== undefined) native.close(guest);
      throw new SolutionError("stopped", "The check has ended.");
    }
    // without a Lab there is nothing that calls could spoil for one another: one process serves them all
    const shared =
      guest === undefined && options.nofile === undefined
        ? this.all.find((each) => each.shared && each.alive)
        : undefined;
    let child = shared;
    if (!child) {
      try {
        child = new Child(
          this.wrap,
          this.bounds,
          options.nofile ?? this.bounds.nofile,
          guest,
          guest === undefined && options.nofile === undefined,
          (text) => this.print(text),
        );
      } finally {
        if (guest !== undefined) native.close(guest);
      }
      this.all.push(child);
      await child.load(this.javascript, this.name);
    }
    return child.call<Answer>(guest !== undefined, task, options.events ?? []);
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.all.map((child) => child.end()));
  }

  private print(text: string): void {
    if (this.output.length < kept) this.output = (this.output + text).slice(0, kept);
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  /** what it may report */
  names: readonly string[];
  events: TaskEvent[];
}

class Child {
  private readonly process: ChildProcess;
  private readonly calls = new Map<number, Waiting>();
  private readonly exited: Promise<void>;
  private readonly supervision: NodeJS.Timeout;
  private started = native.now();
  private loading?: { resolve(): void; reject(error: Error): void };
  private received = "";
  private printed = 0;
  private calledSoFar = 0;
  private failure?: SolutionError;
  /** the tail of stderr: what node says when it dies */
  private lastWords = "";
  private cpuSeen = 0;
  /** its module has been evaluated, and it is a function */
  private ready = false;
  alive = true;

  constructor(
    wrap: Wrap,
    private readonly bounds: Bounds,
    nofile: number,
    guest: number | undefined,
    readonly shared: boolean,
    private readonly print: (text: string) => void,
  ) {
    const [file, ...args] = wrap([process.execPath, `--max-old-space-size=${heap}`, runner], { ...bounds, nofile });
    this.process = spawn(file, args, {
      stdio: ["ignore", "pipe", "pipe", "pipe", ...(guest === undefined ? [] : [guest])],
      env: { PATH: process.env.PATH, LANG: "C.UTF-8", [withinSolution]: "1" },
      detached: true,
    });
    for (const stream of [this.process.stdout!, this.process.stderr!])
      stream.on("data", (data: Buffer) => this.take(data, stream));
    const channel = this.process.stdio[3] as Readable;
    channel
      .setEncoding("utf8")
      .on("data", (text: string) => this.hear(text))
      .on("error", () => undefined);
    this.exited = new Promise((resolve) => {
      this.process.once("error", (error: NodeJS.ErrnoException) => {
        this.fail("exit", error.code === "ENOENT" ? `${file} is not installed.` : error.message);
        resolve();
      });
      this.process.once("exit", (code, signal) => {
        this.ended(code, signal);
        resolve();
      });
    });
    this.supervision = setInterval(() => this.supervise(), superviseInterval);
    this.supervision.unref();
  }

  load(javascript: string, name: string): Promise<void> {
    const loaded = new Promise<void>((resolve, reject) => (this.loading = { resolve, reject }));
    if (this.failure) return Promise.reject(this.failure);
    this.say({ type: "solution", javascript, name });
    const patience = Math.min(startPatience, this.bounds.time);
    const timer = setTimeout(() => this.notReady(patience), patience);
    const begin = () => {
      this.ready = true;
      // a busy machine starts processes slowly: that is not the solution's time
      this.started = native.now();
    };
    return loaded.then(begin).finally(() => clearTimeout(timer));
  }

  call<Answer>(lab: boolean, task: object, events: readonly string[]): Running<Answer> {
    const id = this.calledSoFar++;
    const seen: TaskEvent[] = [];
    const answer = new Promise<unknown>((resolve, reject) =>
      this.calls.set(id, { resolve, reject, names: events, events: seen }),
    );
    answer.catch(() => undefined);
    if (this.failure) this.calls.get(id)!.reject(this.failure);
    else this.say({ type: "call", id, lab, task, events });
    const isRunning = () => this.alive && this.calls.has(id);
    return {
      answer: answer as Promise<Answer>,
      events: seen,
      get running() {
        return isRunning();
      },
      stop: async () => {
        if (!isRunning()) return;
        this.say({ type: "stop", id });
        await Promise.race([answer.catch(() => undefined), wait(stopPatience, undefined, { ref: false })]);
      },
      cpu: () => this.cpu(),
    };
  }

  async end(): Promise<void> {
    if (this.alive) this.kill("stopped", "The check has ended.");
    await this.exited;
    for (const stream of this.process.stdio) stream?.destroy();
  }

  private cpu(): number {
    if (this.alive && this.process.pid)
      this.cpuSeen = Math.max(
        this.cpuSeen,
        descendants(this.process.pid).reduce((sum, each) => sum + each.cpu, 0),
      );
    return this.cpuSeen;
  }

  private say(message: ToSolution): void {
    const channel = this.process.stdio[3] as unknown as { write(text: string): void; destroyed: boolean };
    if (!channel.destroyed) channel.write(`${JSON.stringify(message)}\n`);
  }

  private take(data: Buffer, stream: Readable): void {
    this.printed += data.length;
    const text = data.toString("utf8");
    this.lastWords = (this.lastWords + text).slice(-4096);
    this.print(text);
    if (this.printed <= this.bounds.output) return;
    stream.destroy();
    this.kill("output", `It printed more than ${Math.round(this.bounds.output / 1024)} KB.`);
  }

  private hear(text: string): void {
    this.received += text;
    if (this.received.length > largestMessage) {
      this.received = "";
      return this.kill("answer", `What it returned is larger than ${largestMessage >> 20} MB.`);
    }
    const lines = this.received.split("\n");
    this.received = lines.pop()!;
    for (const line of lines) {
      try {
        this.heard(line);
      } catch (error) {
        // whatever it has thought of: it ends this solution, not the grader
        this.kill("answer", `What it returned cannot be read: ${(error as Error).message}`);
      }
    }
  }

  /** Untrusted: a student's code can write to this channel, too. */
  private heard(line: string): void {
    let message: FromSolution;
    try {
      message = JSON.parse(line) as FromSolution;
    } catch {
      return;
    }
    if (typeof message !== "object" || message === null) return;
    if (nesting(line) > deepest) return this.kill("answer", `What it returned is nested more than ${deepest} deep.`);
    if (message.type === "ready") return this.loading?.resolve();
    if (message.type === "missing") return this.loading?.reject(new SolutionError("missing", quoted(message.message)));
    const call = this.calls.get(message.id);
    if (!call) return;
    if (message.type === "event") {
      if (call.names.includes(message.name) && call.events.length < mostEvents)
        call.events.push({ name: message.name, time: native.now() });
      return;
    }
    this.calls.delete(message.id);
    if (message.type === "answer") call.resolve(message.value);
    else call.reject(new SolutionError("threw", `It threw: ${quoted(message.message)}`));
  }

  private supervise(): void {
    if (!this.alive || !this.process.pid) return;
    const { time } = this.bounds;
    if (native.now() - this.started > time)
      return this.ready
        ? this.kill("time", `It had not returned after ${Math.round(time / 1000)} s.`)
        : this.notReady(time);
    const all = descendants(this.process.pid);
    if (all.reduce((sum, { descriptors: open }) => sum + open, 0) > this.bounds.nofile)
      return this.kill(
        "descriptors",
        `Its processes had more than ${formatNumber(this.bounds.nofile)} descriptors open together.`,
      );
    if (all.length > this.bounds.processes)
      return this.kill("processes", `It started more than ${this.bounds.processes} processes.`);
    if (all.reduce((sum, { resident }) => sum + resident, 0) > this.bounds.memory)
      this.kill("memory", `It took more than ${this.bounds.memory >> 20} MB of memory.`);
  }

  private notReady(time: number): void {
    this.kill("time", `It was not ready after ${Math.round(time / 1000)} s: is there a loop outside of the function?`);
  }

  private kill(fate: Fate, message: string): void {
    this.fail(fate, message);
    const { pid } = this.process;
    if (!pid || !this.alive) return;
    // the sandbox's first process takes all of its PID namespace with it; without a sandbox, its descendants one by one
    for (const each of [...descendants(pid).map((one) => one.pid), -pid, pid]) {
      try {
        process.kill(each, "SIGKILL");
      } catch {
        // it has ended
      }
    }
  }

  private fail(fate: Fate, message: string): void {
    this.failure ??= new SolutionError(fate, message);
    this.loading?.reject(this.failure);
    for (const call of this.calls.values()) call.reject(this.failure);
    this.calls.clear();
  }

  private ended(code: number | null, signal: NodeJS.Signals | null): void {
    clearInterval(this.supervision);
    this.cpu();
    this.alive = false;
    const outOfHeap = /heap out of memory|Allocation failed|bad_alloc/i.test(this.lastWords);
    if (outOfHeap) this.fail("memory", `It took more than ${heap} MB of heap.`);
    else if (signal ?? (code ?? 0) > 128)
      this.fail("exit", `Its process was ended by ${signal ?? `signal ${code! - 128}`}.`);
    else this.fail("exit", `Its process ended with status ${code} before the function returned.`);
  }
}

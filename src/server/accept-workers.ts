/**
 * Processes that accept from one listener and hold the connections: together they may have more descriptors than one
 * process.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { ArgumentError, explain, LabError, LimitError, requireInteger, requireKnown } from "../errors";
import type { LabHost } from "../lab/host";
import { kernelMemory } from "../lab/memory";
import type { Closable } from "../lab/owned";
import type { Listener } from "../listener/listener";
import { acceptWorkerProgram, native } from "../native";
import { formatNumber } from "../wording/number";

/** descriptors that a worker needs for itself, and some to spare */
const reserve = 20;
/**
 * bytes of kernel memory per end of a connection with a descriptor, rounded up; for planning, because each run measures
 * it
 */
const bytesWithDescriptor = 4900;
/** share of the free memory, and of the open files that the machine allows, that may be used: a plan leaves some more, as with descriptors */
const share = { plan: 0.7, start: 0.77 };
const bytesAWorker = 2 << 20;
const mostWorkers = 500;
/** descriptors of this process per worker: its input and its output */
const descriptorsAWorker = 2;
/**
 * descriptors of this process that stay free for other use; a plan leaves a few more, for descriptors that are opened
 * between the plan and the start
 */
const ownReserve = { plan: 80, start: 40 };
/**
 * workers that accept at a time, because the kernel wakes all that wait for a listener; the next one begins when one is
 * full
 */
const atOnce = 2;

/** A process that accepts: it begins when it is sent a byte, and writes how many connections it holds. */
type Worker = ChildProcessByStdio<Writable, Readable, null>;

/** How many connections with descriptors this machine can hold, and what they need. */
export interface HoldingPlan {
  /** connections with descriptors that this machine can hold, at most as many as were asked for */
  connections: number;
  /** processes that are needed */
  processes: number;
  /** hard limit of descriptors per process */
  descriptorsEach: number;
  /** bytes of memory that will be needed, approximately */
  bytes: number;
  /** why there are fewer than were asked for; "" if there are not */
  because: string;
}

/** What this machine can hold; starts nothing. @param connections 1 to 100,000,000 @throws ArgumentError */
export function planHolding(connections: number): HoldingPlan {
  return planAt("plan", connections);
}

/**
 * What this machine can hold. A plan leaves a tenth of the memory and of the open files that a start may use, and some descriptors: what
 * other programs take between the two does not make the start fail.
 * @throws ArgumentError
 */
export function planAt(when: "plan" | "start", connections: number): HoldingPlan {
  requireInteger(connections, "connections", 1, 100_000_000);
  const { soft, hard, open } = native.descriptors();
  const each = hard - reserve;
  const free = Math.max(0, soft - open - ownReserve[when]);
  const [used = 0, , most = 0] = readFileSync("/proc/sys/fs/file-nr", "utf8").trim().split(/\s+/).map(Number);
  const bounds: [number, string][] = [
    [
      Math.floor((kernelMemory().available * share[when]) / (bytesWithDescriptor + bytesAWorker / each)),
      `${formatNumber(kernelMemory().available / 2 ** 20, 0)} MiB of memory are free`,
    ],
    [Math.floor((most - used) * share[when]), `the machine allows ${formatNumber(most)} open files (fs.file-max)`],
    [
      mostWorkers * each,
      `a process may have ${formatNumber(hard)} descriptors (ulimit -Hn), and at most ${mostWorkers} processes are started`,
    ],
    [
      Math.floor(free / descriptorsAWorker) * each,
      `this process has ${formatNumber(free)} descriptors left and needs ${descriptorsAWorker} per process that accepts`,
    ],
  ];
  const [bound, because] = bounds.reduce((least, next) => (next[0] < least[0] ? next : least));
  const planned = Math.max(1, Math.min(connections, bound));
  const processes = Math.ceil(planned / each);
  return {
    connections: planned,
    processes,
    descriptorsEach: hard,
    bytes: planned * bytesWithDescriptor + processes * bytesAWorker,
    because: planned < connections ? because : "",
  };
}

/** Processes that accept and hold connections until they are closed. */
export class AcceptWorkers implements Closable {
  private readonly counts: number[];
  private closing?: Promise<void>;
  private failure?: LabError;

  private begun = 0;

  private constructor(
    private readonly host: LabHost,
    private readonly processes: Worker[],
    readonly plan: HoldingPlan,
  ) {
    this.counts = processes.map(() => 0);
    processes.forEach((process, at) => {
      let rest = "";
      process.stdout.on("data", (part) => {
        const lines = (rest + String(part)).split("\n");
        rest = lines.pop() ?? "";
        const last = lines.at(-1);
        if (!last) return;
        this.counts[at] = Number(last.replace("full ", ""));
        if (last.startsWith("full")) this.next();
      });
      process.once("exit", (code, signal) => {
        if (!this.closing)
          this.failure ??= new LabError(`A process that accepts connections has ended (${signal ?? code}).`, {
            code: "ECHILD",
            hint: "The machine may have run out of memory: look at dmesg.",
          });
      });
    });
  }

  /**
   * Starts as many processes as `connections` need.
   * @throws LimitError more than this machine can hold; LabError ENOENT: not built; EAGAIN: no more processes allowed
   */
  static async start(listener: Listener, options: { connections: number }): Promise<AcceptWorkers> {
    requireKnown(options, ["connections"], "hold()");
    const { connections } = options as Partial<typeof options>; // a notebook's cell may leave it out
    if (connections === undefined)
      throw new ArgumentError("hold() needs the number of connections.", "For example { connections: 100_000 }.");
    const plan = planAt("start", connections);
    if (plan.because)
      throw new LimitError(
        `This machine can hold about ${formatNumber(plan.connections)} connections with descriptors, not ${formatNumber(connections)}: ${plan.because}.`,
        "Ask for fewer connections. planHolding() says how many are possible.",
      );
    const each = plan.descriptorsEach - reserve;
    const processes: Worker[] = [];
    try {
      for (let at = 0, left = plan.connections; at < plan.processes; at++, left -= each) {
        // the types of spawn() know three streams; the fourth is the listener
        const child = spawn(acceptWorkerProgram, [String(Math.min(each, left))], {
          stdio: ["pipe", "pipe", "ignore", listener.fd],
          env: {},
        }) as Worker;
        child.stdin.on("error", () => undefined);
        processes.push(child);
        await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
      }
    } catch (error) {
      for (const child of processes) child.stdin.destroy();
      throw explain(error, "A process that accepts connections could not be started", {
        ENOENT: "It is built with the addon: run `npm run build`.",
        EAGAIN: "This user has as many processes as its limit allows (ulimit -u).",
      });
    }
    const workers = listener.host.keep(new AcceptWorkers(listener.host, processes, plan));
    for (let at = 0; at < atOnce; at++) workers.next();
    return workers;
  }

  /** Lets the next one begin. */
  private next(): void {
    this.processes[this.begun++]?.stdin.write("g");
  }

  /** connections that all processes hold together @throws LabError a process has ended */
  get accepted(): number {
    if (this.failure) throw this.failure;
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /**
   * Waits until the processes hold `count` connections.
   * @returns true, or false after `timeout` ms (default 60 s)
   * @throws LabError a process has ended
   */
  async until(count: number, { timeout = 60_000 }: { timeout?: number } = {}): Promise<boolean> {
    const deadline = native.now() + timeout;
    while (this.accepted < count) {
      if (native.now() > deadline || this.closing) return false;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return true;
  }

  /** Ends all processes, and with them their connections. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  /** close(), for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(): Promise<void> {
    await Promise.all(
      this.processes.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.stdin.destroy();
        await ended;
      }),
    );
    this.host.drop(this);
  }
}

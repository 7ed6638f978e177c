/**
 * Processes that accept from one listener and hold what they have accepted: together they may have more descriptors than one process.
 */
import { ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { ArgumentError, explain, LabError, LimitError, requireInteger, requireKnown } from "../errors";
import type { LabHost } from "../lab/host";
import { kernelMemory } from "../lab/memory";
import type { Closable } from "../lab/owned";
import type { Listener } from "../listener/listener";
import { acceptWorkerProgram, native } from "../native";
import { formatNumber } from "../wording/number";

/** descriptors that a worker needs for itself, and some to spare */
const reserve = 20;
/** bytes of kernel memory that one end of a connection with a descriptor takes, rounded up; measured with each run, this is for planning */
const bytesWithDescriptor = 4900;
/** of the memory that is free, so much may be used */
const share = 0.7;
const bytesAWorker = 2 << 20;
const mostWorkers = 500;
/** descriptors of this process that each of them takes: its input and its output */
const descriptorsAWorker = 2;
/** and those that are left for everything else: a plan leaves some for what is opened between it and the start */
const ownReserve = { plan: 80, start: 40 };
/** Only so many accept at a time, the next one when one is full: the kernel wakes all that wait for a listener. */
const atOnce = 2;

export interface HoldingPlan {
  /** connections that this machine can hold with descriptors, at most as many as were asked for */
  connections: number;
  /** processes that this takes */
  processes: number;
  /** hard limit of descriptors of each */
  descriptorsEach: number;
  /** bytes of memory that it will take, about */
  bytes: number;
  /** why there are fewer than were asked for; "" if there are not */
  because: string;
}

/** What this machine can hold, before anything starts. @throws ArgumentError */
export function planHolding(connections: number): HoldingPlan {
  return planWith(ownReserve.plan, connections);
}

function planWith(own: number, connections: number): HoldingPlan {
  requireInteger(connections, "connections", 1, 100_000_000);
  const { soft, hard, open } = native.descriptors();
  const each = hard - reserve;
  const free = Math.max(0, soft - open - own);
  const [used, , most] = readFileSync("/proc/sys/fs/file-nr", "utf8").trim().split(/\s+/).map(Number);
  const bounds: [number, string][] = [
    [
      Math.floor((kernelMemory().available * share) / (bytesWithDescriptor + bytesAWorker / each)),
      `${formatNumber(kernelMemory().available / 2 ** 20, 0)} MiB of memory are free`,
    ],
    [Math.floor((most - used) * share), `the machine allows ${formatNumber(most)} open files (fs.file-max)`],
    [
      mostWorkers * each,
      `a process may have ${formatNumber(hard)} descriptors (ulimit -Hn), and ${mostWorkers} processes are enough`,
    ],
    [
      Math.floor(free / descriptorsAWorker) * each,
      `this process has ${formatNumber(free)} descriptors left, and needs ${descriptorsAWorker} for each process that accepts`,
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

export class AcceptWorkers implements Closable {
  private readonly counts: number[];
  private closing?: Promise<void>;
  private failure?: LabError;

  private begun = 0;

  private constructor(
    private readonly host: LabHost,
    private readonly processes: ChildProcess[],
    readonly plan: HoldingPlan,
  ) {
    this.counts = processes.map(() => 0);
    processes.forEach((process, at) => {
      let rest = "";
      process.stdout!.on("data", (part) => {
        const lines = (rest + String(part)).split("\n");
        rest = lines.pop()!;
        const last = lines[lines.length - 1];
        if (last) this.counts[at] = Number(last.replace("full ", ""));
        if (last?.startsWith("full")) this.next();
      });
      process.once("exit", (code, signal) => {
        if (!this.closing)
          this.failure ??= new LabError(`An accepting process has ended by itself (${signal ?? code}).`, {
            code: "ECHILD",
            hint: "Has the machine run out of memory? Look at dmesg.",
          });
      });
    });
  }

  /** Starts as many as `connections` need. @throws LimitError more than this machine can hold; LabError ENOENT: not built */
  static async start(listener: Listener, options: { connections: number }): Promise<AcceptWorkers> {
    requireKnown(options, ["connections"], "hold()");
    if (options?.connections === undefined)
      throw new ArgumentError("hold() takes how many connections there will be.", "Like { connections: 100_000 }.");
    const plan = planWith(ownReserve.start, options.connections);
    if (plan.because)
      throw new LimitError(
        `This machine can hold some ${formatNumber(plan.connections)} connections with descriptors, not ${formatNumber(options.connections)}: ${plan.because}.`,
        "Ask for fewer: planHolding() says how many.",
      );
    const each = plan.descriptorsEach - reserve;
    const processes: ChildProcess[] = [];
    try {
      for (let at = 0, left = plan.connections; at < plan.processes; at++, left -= each) {
        const child = spawn(acceptWorkerProgram, [String(Math.min(each, left))], {
          stdio: ["pipe", "pipe", "ignore", listener.fd],
          env: {},
        });
        child.stdin!.on("error", () => undefined);
        processes.push(child);
        await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
      }
    } catch (error) {
      for (const child of processes) child.stdin?.destroy();
      throw explain(error, "An accepting process could not be started", {
        ENOENT: "It is built with the addon: run `npm run build`.",
        EAGAIN: "This user may have no more processes (ulimit -u).",
      });
    }
    const workers = listener.host.keep(new AcceptWorkers(listener.host, processes, plan));
    for (let at = 0; at < atOnce; at++) workers.next();
    return workers;
  }

  /** Lets the next one begin. */
  private next(): void {
    this.processes[this.begun++]?.stdin!.write("g");
  }

  /** connections that they hold together */
  get accepted(): number {
    if (this.failure) throw this.failure;
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Waits until they hold so many: true, or false after `timeout` ms. @throws LabError one of them has ended */
  async until(count: number, { timeout = 60_000 }: { timeout?: number } = {}): Promise<boolean> {
    const deadline = native.now() + timeout;
    while (this.accepted < count) {
      if (native.now() > deadline || this.closing) return false;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return true;
  }

  /** Ends them all, and with them their connections. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(): Promise<void> {
    await Promise.all(
      this.processes.map((child) => {
        if (child.exitCode !== null || child.signalCode !== null) return undefined;
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.stdin!.destroy();
        return ended;
      }),
    );
    this.host.drop(this);
  }
}

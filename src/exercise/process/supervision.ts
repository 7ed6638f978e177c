/**
 * Watches the process of a solution and its descendants, and reports the first bound that they exceed. It reads /proc from outside, so
 * it needs nothing of the process. What the kernel itself can bound (a cgroup's memory.max and pids.max) belongs to start.ts.
 */
import { native } from "../../native";
import { formatNumber } from "../../wording/number";
import type { Bounds } from "../bounds";
import type { Fate } from "../result";
import { descendants, type Descendant } from "./descendants";

/** ms between two looks */
const interval = 50;

/** Called with the bound that was exceeded, and a sentence for the student. */
export type Exceeded = (fate: Fate, sentence: string) => void;

function sum(all: readonly Descendant[], of: (each: Descendant) => number): number {
  return all.reduce((total, each) => total + of(each), 0);
}

/** Looks at a process every 50 ms, until stop(). */
export class Supervision {
  private readonly timer: NodeJS.Timeout;
  private since = native.now();
  private loading = true;
  private cpuSeen = 0;
  private stopped = false;

  constructor(
    private readonly pid: number,
    private readonly bounds: Bounds,
    private readonly exceeded: Exceeded,
  ) {
    this.timer = setInterval(() => {
      this.look();
    }, interval);
    this.timer.unref();
  }

  /** The solution is loaded: its time begins. A busy machine starts processes slowly, and that is not the solution's time. */
  loaded(): void {
    this.loading = false;
    this.since = native.now();
  }

  /** ms of CPU time that the process and its descendants have used; after stop(), what they had used when it was last asked for. */
  cpu(): number {
    // the process id may be another process's by now
    if (this.stopped) return this.cpuSeen;
    // a descendant that has ended takes its share along, unless its parent has waited for it
    this.cpuSeen = Math.max(
      this.cpuSeen,
      sum(descendants(this.pid), ({ cpu }) => cpu),
    );
    return this.cpuSeen;
  }

  /** Looks no more: the process has ended. */
  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
  }

  private look(): void {
    const { time, nofile, processes, memory } = this.bounds;
    if (native.now() - this.since > time) {
      this.exceeded("time", this.loading ? notReady(time) : `It had not returned after ${Math.round(time / 1000)} s.`);
      return;
    }
    const all = descendants(this.pid);
    if (sum(all, ({ descriptors }) => descriptors) > nofile)
      this.exceeded("descriptors", `Its processes had more than ${formatNumber(nofile)} descriptors open together.`);
    else if (all.length > processes) this.exceeded("processes", `It started more than ${processes} processes.`);
    else if (sum(all, ({ resident }) => resident) > memory)
      this.exceeded("memory", `It used more than ${memory >> 20} MiB of memory.`);
  }
}

/** The sentence for a solution that is not loaded after `ms`. */
export function notReady(ms: number): string {
  return `It was not ready after ${Math.round(ms / 1000)} s: is there a loop outside of the function?`;
}

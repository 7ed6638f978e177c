/**
 * The listeners at one address and port while they are watched: a native thread samples their queues, each look reads
 * them one by one.
 */
import { errnoName, LabError } from "../errors";
import { native, type Sampler, type SamplerOptions, type SamplerRows } from "../native";
import { formatCount } from "../wording/number";
import { fullness, type Listening, versionsOf } from "./listeners";
import { Peaks } from "./peaks";
import type { Report, SocketReport, WatchEvent } from "./report";

/**
 * The share of a core that the SYN queue's length may cost. A host's table of connections has hundreds of thousands of
 * buckets, which the kernel walks for it in milliseconds: with every sample, an idle port would take a fifth of a core.
 */
const synQueueShare = 0.01;

/** What has become of the listeners since the last look. */
export type PlaceChange = Pick<WatchEvent, "event" | "detail">;

/** The part of a report that belongs to the place itself. */
export type PlaceReport = Omit<Report, "time" | "acceptRate" | "acceptRateUnknown" | "namespace" | "cost">;

/** A listening socket, and its drops when the watch first saw it. */
interface SocketSeen {
  now: Listening;
  dropsBefore: number;
}

/** One address and port. close() ends the thread. */
export class WatchedPlace {
  readonly peaks = new Peaks();
  private readonly sampler: Sampler;
  private readonly diagFd: number;
  private sockets = new Map<number, SocketSeen>();
  private readonly first: Listening;
  /** drops of sockets that have been closed */
  private dropsOfClosed = 0;
  private dropsReported = 0;
  private absentSince: number | undefined;
  private closed = false;
  /** ms of CPU that the thread has used */
  cpu = 0;

  /**
   * @param where "127.0.0.1:80"
   * @param found its sockets, at least one
   * @param known they listened before the watch
   * began: their drops till now are not counted
   * @throws SystemError EMFILE
   */
  constructor(
    readonly where: string,
    found: readonly [Listening, ...Listening[]],
    { hz, known, counters }: Pick<SamplerOptions, "hz" | "counters"> & { known: boolean },
  ) {
    [this.first] = found;
    for (const now of found) this.sockets.set(now.inode, { now, dropsBefore: known ? now.drops : 0 });
    this.diagFd = native.diagSocket();
    try {
      const { address, device, port } = this.first;
      this.sampler = new native.Sampler({
        listenerFd: -1,
        diagFd: this.diagFd,
        port,
        ipv6: true,
        address,
        device,
        stay: true,
        hz,
        synQueueShare,
        ...(counters && { counters }),
      });
      this.sampler.start();
    } catch (error) {
      native.close(this.diagFd);
      throw error;
    }
  }

  /** CLOCK_MONOTONIC ms of time zero of its rows */
  get startedAt(): number {
    return this.sampler.startedAt;
  }

  /** Whether a socket listens there now. */
  get listening(): boolean {
    return this.sockets.size > 0;
  }

  /** since the watch began */
  get drops(): number {
    return [...this.sockets.values()].reduce((sum, each) => sum + dropsOf(each), this.dropsOfClosed);
  }

  /** Takes the rows that were sampled since the last call. @throws LabError the thread has ended */
  drain(): { rows: SamplerRows; full: number } {
    const rows = this.sampler.take();
    this.cpu = rows.cpu;
    if (rows.error !== 0) {
      const { error: errno, errorSyscall: syscall } = rows;
      const code = errnoName(errno);
      throw new LabError(`${this.where} can no longer be watched: ${syscall} failed with ${code}.`, {
        code,
        errno,
        syscall,
      });
    }
    return { rows, full: this.peaks.take(rows.queues, rows.listeners) };
  }

  /**
   * Takes in the sockets that listen there now, perhaps none.
   * @param time s since the watch began
   * @returns what has
   * changed, if anything
   */
  take(found: readonly Listening[], time: number): PlaceChange | undefined {
    const before = this.sockets;
    this.sockets = new Map();
    for (const now of found) {
      const dropsBefore = before.get(now.inode)?.dropsBefore ?? 0;
      this.sockets.set(now.inode, { now, dropsBefore });
    }
    for (const [inode, each] of before) if (!this.sockets.has(inode)) this.dropsOfClosed += dropsOf(each);
    this.peaks.see(sumOf(found, ({ acceptQueue }) => acceptQueue));
    return this.changeFrom(before, time);
  }

  /**
   * The place now. Peaks and drops of the interval begin anew.
   * @param heldBy by inode
   * @param time s since the watch
   * began
   */
  report(heldBy: ReadonlyMap<number, string>, time: number): PlaceReport {
    const { peaks, drops, where, first } = this;
    const sockets = [...this.sockets.values()];
    const listening = sockets.map(({ now }) => now);
    const [fullest] = [...listening].sort((a, b) => fullness(b) - fullness(a));
    const there = <Value>(value: Value) => (fullest ? value : null);
    const report: PlaceReport = {
      listener: where,
      port: first.port,
      ip: versionsOf(fullest ?? first),
      protocol: (fullest ?? first).ulp === "mptcp" ? "mptcp" : "tcp",
      listeners: listening.length,
      ...(this.absentSince !== undefined && { absent: time - this.absentSince }),
      acceptQueue: there(sumOf(listening, ({ acceptQueue }) => acceptQueue)),
      maximum: there(sumOf(listening, ({ maximum }) => maximum)),
      places: there(sumOf(listening, ({ maximum }) => maximum + 1)),
      fullest: fullest?.acceptQueue ?? null,
      fullestMaximum: fullest?.maximum ?? null,
      full: fullest ? fullness(fullest) : null,
      peak: peaks.acceptQueue,
      peakEver: peaks.acceptQueueEver,
      synQueue: there(peaks.synQueue),
      synQueuePeak: peaks.synQueueLongest,
      drops: drops - this.dropsReported,
      dropsEver: drops,
      queues: sockets.map((each) => socketReport(each, heldBy)),
    };
    this.dropsReported = drops;
    peaks.startInterval();
    return report;
  }

  /** Ends the thread. @returns its last rows; undefined at a second call */
  async close(): Promise<SamplerRows | undefined> {
    if (this.closed) return undefined;
    this.closed = true;
    await this.sampler.stop();
    const rows = this.sampler.take();
    this.cpu = rows.cpu;
    native.close(this.diagFd);
    return rows;
  }

  private changeFrom(before: ReadonlyMap<number, SocketSeen>, time: number): PlaceChange | undefined {
    const { where, sockets } = this;
    const kept = [...sockets].filter(([inode]) => before.has(inode));
    if (sockets.size === 0) {
      this.absentSince ??= time;
      return before.size > 0 ? { event: "closed", detail: `The listener on ${where} was closed.` } : undefined;
    }
    if (before.size === 0) {
      const absent = time - (this.absentSince ?? time);
      this.absentSince = undefined;
      return { event: "listening", detail: `A socket listens on ${where} again, after ${absent.toFixed(1)} s.` };
    }
    if (kept.length === 0)
      return { event: "closed", detail: `The listener on ${where} was closed, and another one listens there now.` };
    return this.changeAmong(before, kept);
  }

  /** At least one socket is there still. */
  private changeAmong(before: ReadonlyMap<number, SocketSeen>, kept: [number, SocketSeen][]): PlaceChange | undefined {
    const { where, sockets } = this;
    const gone = before.size - kept.length;
    const made = sockets.size - kept.length;
    if (gone + made > 0) {
      const what = `${formatCount(made)} opened, ${formatCount(gone)} closed`;
      return {
        event: "changed",
        detail: `${where} now has ${formatCount(sockets.size)} listening ${sockets.size === 1 ? "socket" : "sockets"}: ${what}.`,
      };
    }
    for (const [inode, { now }] of kept) {
      const limit = before.get(inode)?.now.maximum;
      if (limit !== undefined && limit !== now.maximum)
        return {
          event: "changed",
          detail: `The queue limit of ${where} is now ${formatCount(now.maximum)}. It was ${formatCount(limit)}.`,
        };
    }
    return undefined;
  }
}

/** sk_drops wraps at 2^32. */
function dropsOf({ now, dropsBefore }: SocketSeen): number {
  return (now.drops - dropsBefore) >>> 0;
}

function sumOf(listening: readonly Listening[], of: (each: Listening) => number): number {
  return listening.reduce((sum, each) => sum + of(each), 0);
}

function socketReport(seen: SocketSeen, holders: ReadonlyMap<number, string>): SocketReport {
  const { inode, acceptQueue, maximum } = seen.now;
  const heldBy = holders.get(inode);
  const full = fullness(seen.now);
  return { inode, acceptQueue, maximum, full, dropsEver: dropsOf(seen), ...(heldBy !== undefined && { heldBy }) };
}

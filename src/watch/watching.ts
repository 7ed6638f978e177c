/** Watches the listeners on one port of this machine: a native thread samples them, and every interval becomes a report. */
import { closeSync, openSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { ArgumentError, errnoName, LabError } from "../errors";
import { native, QueueRows, Sampler, SharingRows } from "../native";
import { TraceBuilder, type RecordingMeta } from "../trace/builder";
import { defaultCounters } from "../trace/record";
import { RecordingFile } from "../trace/recording-file";
import type { Trace } from "../trace/trace";
import { fullness, Listening, readListening } from "./listeners";

export interface WatchOptions {
  port: number;
  /** samples a second, 1 to 1000 */
  hz: number;
  /** file of the Trace to record: made at once, and written on every two seconds */
  record?: string;
}

/** What was seen since the last look. */
export interface Look {
  /** how full the fullest listener has been, 0 to 1 */
  full: number;
  /** increase of ListenOverflows since the watch began, of the whole network namespace */
  overflows: number;
}

/** One interval. Counts of handshakes and drops are those of the whole network namespace: the kernel keeps none for a listener. */
export interface Report {
  /** s since the watch began */
  time: number;
  /** sockets that share the port */
  listeners: number;
  /** now, summed over the listeners */
  acceptQueue: number;
  maximum: number;
  /** connections that fit: each listener takes one more than its maximum */
  places: number;
  /** the listener that is fullest for its size: its accept queue and maximum now, and its share, 0 to 1 */
  fullest: number;
  fullestMaximum: number;
  full: number;
  /** longest accept queue in this interval, and since the watch began */
  peak: number;
  peakEver: number;
  /** looked at as often as 1 % of a core allows */
  synQueue: number;
  synQueuePeak: number;
  /** handshakes completed a second (Tcp.PassiveOpens) */
  handshakeRate: number;
  /** connections taken a second: handshakes completed less the growth of this queue */
  acceptRate: number;
  /** increase in this interval */
  overflows: number;
  drops: number;
  cookies: number;
  /** increase since the watch began */
  overflowsEver: number;
  dropsEver: number;
  cookiesEver: number;
  /** share of a core that watching has taken in this interval: thread and process */
  cost: number;
}

const watched = ["Tcp.PassiveOpens", "TcpExt.ListenOverflows", "TcpExt.ListenDrops", "TcpExt.SyncookiesSent"] as const;
const counterNames = [...new Set<string>([...watched, ...defaultCounters])];
/**
 * The share of a core that the SYN queue's length may cost. A host's table of connections has hundreds of thousands of buckets, which the kernel
 * walks for it in milliseconds: with every sample, an idle port would take a fifth of a core.
 */
const synQueueShare = 0.01;
/** rows of a recording that are kept: some 20 MB in memory, a file of up to 10 MB */
const mostRows = 500_000;
/** ms: what a recording may lose if its recorder is killed */
const writeInterval = 2000;

const recordedSettings = [
  "net.core.somaxconn",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_abort_on_overflow",
];

type Counts = Record<(typeof watched)[number], number>;
const none: Counts = {
  "Tcp.PassiveOpens": 0,
  "TcpExt.ListenOverflows": 0,
  "TcpExt.ListenDrops": 0,
  "TcpExt.SyncookiesSent": 0,
};

export class Watching {
  /** the listeners as they were at the start */
  readonly found: readonly Listening[];
  private readonly diagFd: number;
  private readonly counterFds: number[];
  private readonly sampler: Sampler;
  private readonly builder: TraceBuilder | undefined;
  private readonly file: RecordingFile | undefined;
  private readonly began = new Date().toISOString();
  private readonly settings = Object.fromEntries(recordedSettings.map((name) => [name, setting(name)]));
  private now = { acceptQueue: 0, places: 1, synQueue: 0 };
  /** once several share the port */
  private sharing: { listeners: number; fullest: number; fullestMaximum: number; full: number } | undefined;
  private counts = none;
  private peak = 0;
  private synQueuePeak = 0;
  private peakEver = 0;
  private last: { time: number; cpu: number; counts: Counts; acceptQueue: number };
  private samplerCpu = 0;
  private written = -Infinity;
  private closed = false;

  /** @throws ArgumentError nobody listens there; the recording's file is there already or cannot be made */
  constructor(private readonly options: WatchOptions) {
    this.diagFd = native.diagSocket();
    this.counterFds = ["netstat", "snmp", "sockstat"].map((name) => openSync(`/proc/net/${name}`, "r"));
    try {
      this.found = this.requireListening();
      const { port, hz, record } = options;
      if (record !== undefined) this.file = new RecordingFile(record);
      const [netstatFd, snmpFd, sockstatFd] = this.counterFds;
      this.sampler = new native.Sampler({
        listenerFd: -1,
        diagFd: this.diagFd,
        port,
        ipv6: true,
        hz,
        synQueueShare,
        counters: { netstatFd, snmpFd, sockstatFd, hz: Math.min(hz, 10), names: counterNames },
      });
      this.sampler.start();
    } catch (error) {
      this.release();
      throw error;
    }
    this.builder = this.file && new TraceBuilder(counterNames, { mostRows });
    const acceptQueue = this.found.reduce((sum, each) => sum + each.acceptQueue, 0);
    this.last = { time: native.now(), cpu: this.cpu(), counts: none, acceptQueue };
  }

  /** ms */
  get elapsed(): number {
    return native.now() - this.sampler.startedAt;
  }

  get longest(): number {
    return this.peakEver;
  }

  /** ms of CPU that watching has taken: the sampling thread and this process */
  cpu(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000; // the thread is of this process
  }

  /**
   * Takes in what was sampled since the last call; to be called several times a second.
   * @throws LabError ERR_CLOSED: nobody listens there any more; another one: the recording cannot be written
   */
  look(): Look {
    const rows = this.sampler.drain();
    const { queues, counters, error, errorSyscall } = rows;
    this.samplerCpu = rows.cpu;
    this.builder?.append(rows);
    const full = Math.max(this.takeQueues(queues), this.takeSharing(rows.listeners));
    const newest = counters.time.length - 1;
    if (newest >= 0)
      this.counts = Object.fromEntries(
        watched.map((name) => [name, counters.columns[counterNames.indexOf(name)][newest]]),
      ) as Counts;
    if (this.elapsed - this.written >= writeInterval) {
      this.file?.grow(this.builder!.snapshot(this.meta, this.elapsed));
      this.written = this.elapsed;
    }
    if (error !== 0) throw this.ended(error, errorSyscall);
    return { full, overflows: this.counts["TcpExt.ListenOverflows"] };
  }

  /** Notes in the recording that something happened. */
  mark(name: string, detail: string): void {
    this.builder?.event({ time: this.elapsed, name, detail });
  }

  /** How full the queue was at most, 0 to 1, as far as it is a single listener's. */
  private takeQueues({ time, acceptQueue, acceptMax, synQueue }: QueueRows): number {
    let full = 0;
    for (let row = 0; row < time.length; row++) {
      this.now = { acceptQueue: acceptQueue[row], places: acceptMax[row] + 1, synQueue: synQueue[row] };
      this.peak = Math.max(this.peak, acceptQueue[row]);
      this.synQueuePeak = Math.max(this.synQueuePeak, synQueue[row]);
      full = Math.max(full, acceptQueue[row] / (acceptMax[row] + 1)); // of several: the mean, which the fullest one exceeds
    }
    this.peakEver = Math.max(this.peakEver, this.peak);
    return Math.max(full, this.now.acceptQueue / this.now.places);
  }

  private takeSharing({ time, listeners, fullest, fullestMax }: SharingRows): number {
    let full = this.sharing?.full ?? 0;
    for (let row = 0; row < time.length; row++) {
      this.sharing = {
        listeners: listeners[row],
        fullest: fullest[row],
        fullestMaximum: fullestMax[row],
        full: fullness({ acceptQueue: fullest[row], maximum: fullestMax[row] }),
      };
      full = Math.max(full, this.sharing.full);
    }
    return full;
  }

  /** The interval since the last report. Call look() before. */
  report(): Report {
    const time = native.now();
    const cpu = this.cpu();
    const { counts, last, sharing } = this;
    const { acceptQueue, places, synQueue } = this.now;
    const listeners = sharing?.listeners ?? 1;
    const seconds = (time - last.time) / 1000;
    const rise = (name: keyof Counts) => counts[name] - last.counts[name];
    const handshakes = rise("Tcp.PassiveOpens");
    const report: Report = {
      time: this.elapsed / 1000,
      listeners,
      acceptQueue,
      maximum: places - listeners,
      places,
      fullest: sharing?.fullest ?? acceptQueue,
      fullestMaximum: sharing?.fullestMaximum ?? places - 1,
      full: sharing?.full ?? acceptQueue / places,
      peak: this.peak,
      peakEver: this.peakEver,
      synQueue,
      synQueuePeak: this.synQueuePeak,
      handshakeRate: handshakes / seconds,
      acceptRate: Math.max(0, handshakes - (acceptQueue - last.acceptQueue)) / seconds,
      overflows: rise("TcpExt.ListenOverflows"),
      drops: rise("TcpExt.ListenDrops"),
      cookies: rise("TcpExt.SyncookiesSent"),
      overflowsEver: counts["TcpExt.ListenOverflows"],
      dropsEver: counts["TcpExt.ListenDrops"],
      cookiesEver: counts["TcpExt.SyncookiesSent"],
      cost: (cpu - last.cpu) / (time - last.time),
    };
    this.last = { time, cpu, counts, acceptQueue };
    this.peak = acceptQueue;
    this.synQueuePeak = synQueue;
    return report;
  }

  /** Ends the thread, and the recording, if one was wanted: what it is, and the bytes of its file. To be called once. @throws LabError it cannot be written */
  async stop(): Promise<{ trace: Trace; bytes: number } | undefined> {
    if (this.closed) return undefined;
    this.closed = true;
    this.sampler.stop();
    const rows = this.sampler.drain();
    this.samplerCpu = rows.cpu;
    this.builder?.append(rows);
    this.release();
    if (!this.file) return undefined;
    const trace = this.builder!.finish(this.meta);
    return { trace, bytes: await this.file.finish(trace) };
  }

  /** ms of CPU of the sampling thread alone */
  get threadCpu(): number {
    return this.samplerCpu;
  }

  private get meta(): RecordingMeta {
    const { port, hz } = this.options;
    const listeners = this.sharing?.listeners ?? 1;
    return {
      name: `port ${port}`,
      startedAt: this.began,
      hz,
      kernel: release(),
      listener: { port, backlog: this.found[0].maximum, ...(listeners > 1 && { listeners }) },
      settings: this.settings,
    };
  }

  private requireListening(): Listening[] {
    const { port } = this.options;
    const found = readListening(this.diagFd, port);
    if (found.length > 0) return found;
    const others = [...new Set(readListening(this.diagFd).map((each) => each.port))];
    const hint =
      others.length === 0
        ? "Nobody listens at all: is the server in a container, with a network of its own? Run watch in there."
        : `Somebody does on ${others.slice(0, 12).join(", ")}${others.length > 12 ? ", …" : ""}.`;
    throw new ArgumentError(`Nobody listens on port ${port} in this network namespace.`, hint);
  }

  private ended(error: number, syscall: string): LabError {
    const { port } = this.options;
    const gone = errnoName(error) === "ENOENT";
    return gone
      ? new LabError(`Nobody listens on port ${port} any more.`, { code: "ERR_CLOSED" })
      : new LabError(`Port ${port} can no longer be watched: ${syscall} failed with ${errnoName(error)}.`, {
          code: errnoName(error),
          errno: error,
          syscall,
        });
  }

  private release(): void {
    native.close(this.diagFd);
    for (const fd of this.counterFds) closeSync(fd);
  }
}

function setting(name: string): number | string {
  try {
    return Number(readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8"));
  } catch {
    return "unreadable";
  }
}

/** Watches the listeners on one port of this machine: a native thread samples them, and every interval becomes a report. */
import { closeSync, openSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { ArgumentError, errnoName, LabError } from "../errors";
import { native, type Sampler } from "../native";
import { TraceBuilder, type RecordingMeta } from "../trace/builder";
import { defaultCounters } from "../trace/record";
import { RecordingFile } from "../trace/recording-file";
import type { Trace } from "../trace/trace";
import { type Listening, readListening } from "./listeners";
import { QueuesSeen } from "./queues-seen";
import type { Look, Report } from "./report";

/** What to watch. */
export interface WatchOptions {
  port: number;
  /** samples per second, 1 to 1000 */
  hz: number;
  /** file of the Trace to record: made at once, and appended to every two seconds; default: none */
  record?: string;
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

/** Samples the queues and counters of one port until stop(). */
export class Watching {
  /** the listeners as they were at the start */
  readonly found: readonly Listening[];
  private readonly diagFd: number;
  private readonly counterFds: { netstatFd: number; snmpFd: number; sockstatFd: number };
  private readonly sampler: Sampler;
  private readonly builder: TraceBuilder | undefined;
  private readonly file: RecordingFile | undefined;
  private readonly began = new Date().toISOString();
  private readonly settings = Object.fromEntries(recordedSettings.map((name) => [name, setting(name)]));
  private readonly queues = new QueuesSeen();
  private counts = none;
  private last: { time: number; cpu: number; counts: Counts; acceptQueue: number };
  private samplerCpu = 0;
  private written = -Infinity;
  private closed = false;

  /** @throws ArgumentError no socket listens there; the file of the recording exists already or cannot be made */
  constructor(private readonly options: WatchOptions) {
    this.diagFd = native.diagSocket();
    const open = (name: string) => openSync(`/proc/net/${name}`, "r");
    this.counterFds = { netstatFd: open("netstat"), snmpFd: open("snmp"), sockstatFd: open("sockstat") };
    try {
      this.found = this.requireListening();
      const { port, hz, record } = options;
      if (record !== undefined) this.file = new RecordingFile(record);
      this.sampler = new native.Sampler({
        listenerFd: -1,
        diagFd: this.diagFd,
        port,
        ipv6: true,
        hz,
        synQueueShare,
        counters: { ...this.counterFds, hz: Math.min(hz, 10), names: counterNames },
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

  /** ms since the watch began */
  get elapsed(): number {
    return native.now() - this.sampler.startedAt;
  }

  /** the longest accept queue since the watch began */
  get longest(): number {
    return this.queues.peakEver;
  }

  /** ms of CPU that watching has taken: the sampling thread and this process */
  cpu(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000; // the thread is of this process
  }

  /**
   * Takes in what was sampled since the last call; to be called several times per second.
   * @throws LabError ERR_CLOSED: the listener was closed; another one: the recording cannot be written
   */
  look(): Look {
    const rows = this.sampler.drain();
    const { queues, listeners, counters, error, errorSyscall } = rows;
    this.samplerCpu = rows.cpu;
    this.builder?.append(rows);
    const full = this.queues.take(queues, listeners);
    const newest = counters.time.length - 1;
    if (newest >= 0)
      this.counts = Object.fromEntries(
        watched.map((name) => [name, counters.columns[counterNames.indexOf(name)]?.[newest] ?? 0]),
      ) as Counts;
    if (this.elapsed - this.written >= writeInterval) {
      if (this.builder) this.file?.grow(this.builder.snapshot(this.meta, this.elapsed));
      this.written = this.elapsed;
    }
    if (error !== 0) throw this.ended(error, errorSyscall);
    return { full, overflows: this.counts["TcpExt.ListenOverflows"] };
  }

  /** Notes in the recording that something happened. */
  mark(name: string, detail: string): void {
    this.builder?.event({ time: this.elapsed, name, detail });
  }

  /** The interval since the last report. Call look() before. */
  report(): Report {
    const time = native.now();
    const cpu = this.cpu();
    const { counts, last, queues } = this;
    const { now, sharing } = queues;
    const { acceptQueue, places, synQueue } = now;
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
      peak: queues.peak,
      peakEver: queues.peakEver,
      synQueue,
      synQueuePeak: queues.synQueuePeak,
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
    queues.startInterval();
    return report;
  }

  /** Increases since the watch began, as of the last report. */
  get reported(): { overflows: number; drops: number; cookies: number } {
    const { counts } = this.last;
    return {
      overflows: counts["TcpExt.ListenOverflows"],
      drops: counts["TcpExt.ListenDrops"],
      cookies: counts["TcpExt.SyncookiesSent"],
    };
  }

  /** Ends the thread and the recording. @returns the recording and the bytes of its file; undefined if none was wanted, or at the second call @throws LabError the file cannot be written */
  async stop(): Promise<{ trace: Trace; bytes: number } | undefined> {
    if (this.closed) return undefined;
    this.closed = true;
    await this.sampler.stop();
    const rows = this.sampler.drain();
    this.samplerCpu = rows.cpu;
    this.builder?.append(rows);
    this.release();
    if (!this.file || !this.builder) return undefined;
    const trace = this.builder.finish(this.meta);
    return { trace, bytes: await this.file.finish(trace) };
  }

  /** ms of CPU of the sampling thread alone */
  get threadCpu(): number {
    return this.samplerCpu;
  }

  private get meta(): RecordingMeta {
    const { port, hz } = this.options;
    const listeners = this.queues.sharing?.listeners ?? 1;
    return {
      name: `port ${port}`,
      startedAt: this.began,
      hz,
      kernel: release(),
      listener: { port, backlog: this.found.at(0)?.maximum ?? 0, ...(listeners > 1 && { listeners }) },
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
        ? "No socket listens on any port. Is the server in a container with a network of its own? Then run watch inside it."
        : `Sockets listen on ${others.length > 1 ? "ports" : "port"} ${others.slice(0, 12).join(", ")}${others.length > 12 ? ", …" : ""}.`;
    throw new ArgumentError(`No socket listens on port ${port} in this network namespace.`, hint);
  }

  private ended(error: number, syscall: string): LabError {
    const { port } = this.options;
    const gone = errnoName(error) === "ENOENT";
    return gone
      ? new LabError(`The listener on port ${port} was closed.`, { code: "ERR_CLOSED" })
      : new LabError(`Port ${port} can no longer be watched: ${syscall} failed with ${errnoName(error)}.`, {
          code: errnoName(error),
          errno: error,
          syscall,
        });
  }

  private release(): void {
    native.close(this.diagFd);
    for (const fd of Object.values(this.counterFds)) closeSync(fd);
  }
}

function setting(name: string): number | string {
  try {
    return Number(readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8"));
  } catch {
    return "unreadable";
  }
}

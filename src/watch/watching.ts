/** Watches the listeners on one port of this machine: a native thread samples them, and every interval becomes a report. */
import { closeSync, openSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { ArgumentError, errnoName, LabError } from "../errors";
import { native, Sampler } from "../native";
import { TraceBuilder } from "../trace/builder";
import { defaultCounters } from "../trace/record";
import type { Trace } from "../trace/trace";
import { fullness, Listening, readListening } from "./listeners";

export interface WatchOptions {
  port: number;
  /** samples a second, 1 to 1000 */
  hz: number;
  /** keep every sample for a Trace; takes 32 bytes for each change of a queue */
  record: boolean;
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
  /** of the fullest listener now, 0 to 1 */
  full: number;
  /** longest accept queue in this interval, and since the watch began */
  peak: number;
  peakEver: number;
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
const recordedSettings = ["net.core.somaxconn", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_abort_on_overflow"];

type Counts = Record<(typeof watched)[number], number>;
const none: Counts = { "Tcp.PassiveOpens": 0, "TcpExt.ListenOverflows": 0, "TcpExt.ListenDrops": 0, "TcpExt.SyncookiesSent": 0 };

export class Watching {
  /** the listeners as they were at the start */
  readonly found: readonly Listening[];
  private readonly diagFds: number[];
  private readonly counterFds: number[];
  private readonly sampler: Sampler;
  private readonly builder: TraceBuilder | undefined;
  private readonly began = new Date().toISOString();
  private now = { acceptQueue: 0, maximum: 0, synQueue: 0 };
  private counts = none;
  private peak = 0;
  private synQueuePeak = 0;
  private peakEver = 0;
  private last: { time: number; cpu: number; counts: Counts; acceptQueue: number };
  private samplerCpu = 0;
  private closed = false;

  /** @throws ArgumentError nobody listens there */
  constructor(private readonly options: WatchOptions) {
    this.diagFds = [native.diagSocket(), native.diagSocket()];
    this.counterFds = ["netstat", "snmp", "sockstat"].map((name) => openSync(`/proc/net/${name}`, "r"));
    try {
      this.found = this.requireListening();
      const [netstatFd, snmpFd, sockstatFd] = this.counterFds;
      const { port, hz } = options;
      this.sampler = new native.Sampler({
        listenerFd: -1, diagFd: this.diagFds[0], port, ipv6: true, hz,
        counters: { netstatFd, snmpFd, sockstatFd, hz: Math.min(hz, 10), names: counterNames },
      });
      this.sampler.start();
    } catch (error) {
      this.release();
      throw error;
    }
    this.builder = options.record ? new TraceBuilder(counterNames) : undefined;
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
   * @returns how full the fullest listener has been since then, 0 to 1
   * @throws LabError ERR_CLOSED: nobody listens there any more
   */
  look(): number {
    const { queues, counters, error, errorSyscall, cpu, ...rest } = this.sampler.drain();
    this.samplerCpu = cpu;
    this.builder?.append({ queues, counters, error, errorSyscall, cpu, ...rest });
    let peak = 0;
    for (let row = 0; row < queues.time.length; row++) {
      this.now = { acceptQueue: queues.acceptQueue[row], maximum: queues.acceptMax[row], synQueue: queues.synQueue[row] };
      peak = Math.max(peak, queues.acceptQueue[row]);
      this.synQueuePeak = Math.max(this.synQueuePeak, queues.synQueue[row]);
    }
    const newest = counters.time.length - 1;
    if (newest >= 0) this.counts = Object.fromEntries(watched.map((name) => [name, counters.columns[counterNames.indexOf(name)][newest]])) as Counts;
    this.peak = Math.max(this.peak, peak, this.now.acceptQueue);
    this.peakEver = Math.max(this.peakEver, this.peak);
    if (error !== 0) throw this.ended(error, errorSyscall);
    const listening = readListening(this.diagFds[1], this.options.port);
    const fullest = Math.max(0, ...listening.map(fullness));
    // one listener alone: its longest queue between two looks counts as well
    return listening.length === 1 ? Math.max(fullest, fullness({ acceptQueue: peak, maximum: listening[0].maximum })) : fullest;
  }

  /** The interval since the last report. Call look() before. */
  report(): Report {
    const listening = readListening(this.diagFds[1], this.options.port);
    const time = native.now();
    const cpu = this.cpu();
    const { counts, last } = this;
    const seconds = (time - last.time) / 1000;
    const rise = (name: keyof Counts) => counts[name] - last.counts[name];
    const handshakes = rise("Tcp.PassiveOpens");
    const report: Report = {
      time: this.elapsed / 1000,
      listeners: listening.length,
      acceptQueue: this.now.acceptQueue,
      maximum: this.now.maximum,
      full: Math.max(0, ...listening.map(fullness)),
      peak: this.peak,
      peakEver: this.peakEver,
      synQueue: this.now.synQueue,
      synQueuePeak: this.synQueuePeak,
      handshakeRate: handshakes / seconds,
      acceptRate: Math.max(0, handshakes - (this.now.acceptQueue - last.acceptQueue)) / seconds,
      overflows: rise("TcpExt.ListenOverflows"),
      drops: rise("TcpExt.ListenDrops"),
      cookies: rise("TcpExt.SyncookiesSent"),
      overflowsEver: counts["TcpExt.ListenOverflows"],
      dropsEver: counts["TcpExt.ListenDrops"],
      cookiesEver: counts["TcpExt.SyncookiesSent"],
      cost: (cpu - last.cpu) / (time - last.time),
    };
    this.last = { time, cpu, counts, acceptQueue: this.now.acceptQueue };
    this.peak = this.now.acceptQueue;
    this.synQueuePeak = this.now.synQueue;
    return report;
  }

  /** Ends the thread. The whole recording, if one was wanted. Idempotent. */
  stop(): Trace | undefined {
    if (!this.closed) {
      this.closed = true;
      this.sampler.stop();
      this.builder?.append(this.sampler.drain());
      this.release();
    }
    const { port, hz } = this.options;
    const settings = Object.fromEntries(recordedSettings.map((name) => [name, setting(name)]));
    return this.builder?.finish({ name: `port ${port}`, startedAt: this.began, hz, kernel: release(), listener: { port, backlog: this.found[0].maximum }, settings });
  }

  /** ms of CPU of the sampling thread alone */
  get threadCpu(): number {
    return this.samplerCpu;
  }

  private requireListening(): Listening[] {
    const { port } = this.options;
    const found = readListening(this.diagFds[0], port);
    if (found.length > 0) return found;
    const others = [...new Set(readListening(this.diagFds[0]).map((each) => each.port))];
    const hint = others.length === 0 ? "Nobody listens at all: is the server in a container, with a network of its own? Run watch in there." : `Somebody does on ${others.slice(0, 12).join(", ")}${others.length > 12 ? ", …" : ""}.`;
    throw new ArgumentError(`Nobody listens on port ${port} in this network namespace.`, hint);
  }

  private ended(error: number, syscall: string): LabError {
    const { port } = this.options;
    const gone = errnoName(error) === "ENOENT";
    return gone
      ? new LabError(`Nobody listens on port ${port} any more.`, { code: "ERR_CLOSED" })
      : new LabError(`Port ${port} can no longer be watched: ${syscall} failed with ${errnoName(error)}.`, { code: errnoName(error), errno: error, syscall });
  }

  private release(): void {
    for (const fd of this.diagFds) native.close(fd);
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

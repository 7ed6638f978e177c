/** The recording of a watch: the file grows while the listeners at one address and port are watched. */
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { release } from "node:os";
import { native, type SamplerOptions, type SamplerRows } from "../native";
import { TraceBuilder, type RecordingMeta } from "../trace/builder";
import { defaultCounters } from "../trace/record";
import { RecordingFile } from "../trace/recording-file";
import type { Trace } from "../trace/trace";
import type { Listening } from "./listeners";

const counterNames = [
  ...new Set([
    "Tcp.PassiveOpens",
    "TcpExt.ListenOverflows",
    "TcpExt.ListenDrops",
    "TcpExt.SyncookiesSent",
    ...defaultCounters,
  ]),
];
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

/** A recording that begins when the first listener is found. */
export class WatchedRecording {
  private readonly file: RecordingFile;
  private readonly builder = new TraceBuilder(counterNames, { mostRows });
  private readonly fds: { netstatFd: number; snmpFd: number; sockstatFd: number };
  private readonly settings = Object.fromEntries(recordedSettings.map((name) => [name, setting(name)]));
  private start: { where: string; first: Listening; clock: number; startedAt: string } | undefined;
  private listeners = 1;
  private written = -Infinity;

  /** Makes the file. @throws ArgumentError it exists already or cannot be made */
  constructor(
    private readonly path: string,
    private readonly hz: number,
  ) {
    this.file = new RecordingFile(path);
    const open = (name: string) => openSync(`/proc/net/${name}`, "r");
    this.fds = { netstatFd: open("netstat"), snmpFd: open("snmp"), sockstatFd: open("sockstat") };
  }

  /** What the sampler of the recorded listener counts. The counters belong to the whole network namespace. */
  get counters(): SamplerOptions["counters"] {
    return { ...this.fds, hz: Math.min(this.hz, 10), names: counterNames };
  }

  /** The address and port that is recorded, once it is known. */
  get where(): string | undefined {
    return this.start?.where;
  }

  /** @param clock CLOCK_MONOTONIC ms of time zero of the rows */
  begin(where: string, first: Listening, clock: number): void {
    this.start = { where, first, clock, startedAt: new Date().toISOString() };
  }

  /** Appends rows, and writes them every two seconds. @throws LabError the file cannot be written */
  append(rows: SamplerRows): void {
    this.builder.append(rows);
    for (const sharing of rows.listeners.listeners) this.listeners = Math.max(this.listeners, sharing);
    const now = native.now();
    if (!this.start || now - this.written < writeInterval) return;
    this.file.grow(this.builder.snapshot(this.metaOf(this.start), now - this.start.clock));
    this.written = now;
  }

  /** Notes that something happened. */
  mark(name: string, detail: string): void {
    if (this.start) this.builder.event({ time: native.now() - this.start.clock, name, detail });
  }

  /**
   * Writes the whole recording.
   * @returns undefined if no listener was found: then there is no file
   * @throws LabError the
   * file cannot be written
   */
  async finish(): Promise<{ trace: Trace; bytes: number } | undefined> {
    this.release();
    if (!this.start) {
      rmSync(this.path, { force: true });
      return undefined;
    }
    const trace = this.builder.finish(this.metaOf(this.start));
    return { trace, bytes: await this.file.finish(trace) };
  }

  /** Closes what it reads from. @param remove the file, too: the watch has not begun */
  release(remove = false): void {
    for (const fd of Object.values(this.fds)) closeSync(fd);
    if (remove) rmSync(this.path, { force: true });
  }

  private metaOf({ where, first, startedAt }: NonNullable<typeof this.start>): RecordingMeta {
    return {
      name: `${where} (counters of its whole network namespace)`,
      startedAt,
      hz: this.hz,
      kernel: release(),
      listener: {
        port: first.port,
        backlog: first.maximum,
        ...(this.listeners > 1 && { listeners: this.listeners }),
      },
      settings: this.settings,
    };
  }
}

function setting(name: string): number | string {
  try {
    return Number(readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8"));
  } catch {
    return "unreadable";
  }
}

/**
 * The namespace's MIB counters: all of /proc/net/netstat, snmp and sockstat, as differences between two moments.
 * Source: net/ipv4/proc.c; the names are the kernel's own (include/uapi/linux/snmp.h).
 */
import { openSync } from "node:fs";
import { ArgumentError } from "../errors";
import { native } from "../native";
import { valueAt } from "../native/column";
import type { LabHost } from "./host";

const files = ["/proc/net/netstat", "/proc/net/snmp", "/proc/net/sockstat"] as const;

/** All counters of the Lab at one moment. */
export class Counters {
  /** A Lab makes them: see lab.counters(). */
  constructor(
    /** the moment of reading: ms, CLOCK_MONOTONIC */
    readonly time: number,
    /** each counter by its full name: "TcpExt.ListenDrops", "Tcp.CurrEstab", "sockstat.TCP.inuse" */
    readonly values: ReadonlyMap<string, number>,
  ) {}

  /**
   * One counter.
   * @param name the full name ("TcpExt.ListenDrops"), or its last part where only one counter has it ("ListenDrops")
   * @param absent the value on a kernel that has no such counter; default: an error
   * @throws ArgumentError this kernel has no such counter, or more than one
   */
  get(name: string, absent?: number): number {
    return counterNamed(this.values, name, absent);
  }

  /**
   * The change of every counter since `before`. Gauges (sockstat, CurrEstab) become changes, too, and can be negative.
   */
  since(before: Counters): CounterDifference {
    const changes = new Map<string, number>();
    for (const [name, value] of this.values) changes.set(name, value - (before.values.get(name) ?? 0));
    return new CounterDifference(this.time - before.time, changes);
  }
}

/** The change of every counter between two moments. */
export class CounterDifference {
  /** Counters.since() makes it. */
  constructor(
    /** ms between the two moments */
    readonly duration: number,
    /** each change by the counter's full name; 0 where nothing changed */
    readonly values: ReadonlyMap<string, number>,
  ) {}

  /**
   * The change of one counter.
   * @param name as Counters.get() takes it
   * @param absent the change on a kernel that has no such counter; default: an error
   * @throws ArgumentError this kernel has no such counter, or more than one
   */
  get(name: string, absent?: number): number {
    return counterNamed(this.values, name, absent);
  }

  /**
   * Only the counters that changed, by full name: { "TcpExt.ListenDrops": 71, … }.
   * @param match keeps the names that it matches; default: all
   */
  moved(match: RegExp = /./): Record<string, number> {
    return Object.fromEntries([...this.values].filter(([name, value]) => value !== 0 && match.test(name)));
  }

  /** The counters that changed, one per line: "TcpExt.ListenDrops +71". */
  toString(): string {
    const rows = Object.entries(this.moved());
    const width = Math.max(0, ...rows.map(([name]) => name.length));
    return rows.map(([name, value]) => `${name.padEnd(width)} ${value > 0 ? "+" : ""}${value}`).join("\n");
  }
}

function counterNamed(values: ReadonlyMap<string, number>, name: string, absent?: number): number {
  const exact = values.get(name);
  if (exact !== undefined) return exact;
  const matches = [...values].filter(([full]) => full.endsWith(`.${name}`));
  const [match, ...others] = matches;
  if (!match) {
    if (absent !== undefined) return absent;
    throw new ArgumentError(
      `This kernel has no counter "${name}".`,
      "Newer kernels may have it: get(name, 0) counts 0 where it is missing.",
    );
  }
  if (others.length > 0)
    throw new ArgumentError(
      `More than one counter is named "${name}".`,
      `Write one of ${matches.map(([full]) => full).join(", ")}.`,
    );
  return match[1];
}

/** The open counter files of one Lab. Source: proc(5), /proc/net/netstat, snmp and sockstat. */
export class CounterFiles {
  private open = true;

  private constructor(
    private readonly host: LabHost,
    /**
     * descriptors of netstat, snmp, sockstat, and the machine's meminfo; recordings read the same descriptors with
     * pread(2)
     */
    readonly fds: readonly number[],
  ) {}

  /**
   * Opens the four files. The Lab closes them.
   * @throws ClosedError; LabError ERR_FORBIDDEN: a guest without the right to look
   */
  static async open(host: LabHost): Promise<CounterFiles> {
    const fds: number[] = [];
    try {
      for (const path of files) fds.push(await host.file(path, "r"));
      fds.push(openSync("/proc/meminfo", "r"));
    } catch (error) {
      for (const fd of fds) native.close(fd);
      throw error;
    }
    return host.keep(new CounterFiles(host, fds));
  }

  /**
   * All counters now. Takes about 50 µs.
   * @throws ClosedError
   */
  read(): Counters {
    this.host.requireOpen();
    const values = new Map<string, number>();
    for (const fd of this.fds.slice(0, 2)) readPairs(native.preadText(fd), values);
    readSockstat(native.preadText(valueAt(this.fds, 2)), values);
    return new Counters(native.now(), values);
  }

  /**
   * Whether recordings can follow a counter.
   * @param name a full name of read(), or a line of the machine's /proc/meminfo, in kB: "meminfo.Slab"
   * @throws ClosedError
   */
  knows(name: string): boolean {
    if (!name.startsWith("meminfo.")) return this.read().values.has(name);
    return native
      .preadText(valueAt(this.fds, 3))
      .split("\n")
      .some((line) => line.startsWith(`${name.slice("meminfo.".length)}:`));
  }

  /** Closes the files. The Lab calls it when it closes. Idempotent. */
  async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    for (const fd of this.fds) native.close(fd);
  }
}

/** "TcpExt: SyncookiesSent …" followed by "TcpExt: 0 …". */
function readPairs(text: string, into: Map<string, number>): void {
  const lines = text.split("\n");
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const [prefix = "", ...names] = (lines[at] ?? "").split(" ");
    const [, ...values] = (lines[at + 1] ?? "").split(" ");
    for (const [column, name] of names.entries())
      into.set(`${prefix.replace(":", "")}.${name}`, Number(values[column]));
  }
}

/** "TCP: inuse 5 orphan 0 tw 0 alloc 7 mem 1". `mem` and `alloc` count the whole machine. */
function readSockstat(text: string, into: Map<string, number>): void {
  for (const line of text.split("\n")) {
    const [prefix = "", ...words] = line.split(" ");
    for (let at = 0; at + 1 < words.length; at += 2)
      into.set(`sockstat.${prefix.replace(":", "")}.${words[at]}`, Number(words[at + 1]));
  }
}

/** What went over the wire: every segment with its time, as data, as packetdrill lines, as a file for Wireshark. */
import { writeFile } from "node:fs/promises";
import { inspect } from "node:util";
import { explain, requireKnown } from "../errors";
import { type Endpoint, native } from "../native";
import { Direction, notation } from "./notation";
import { pcapng } from "./pcapng";
import type { Segment } from "./segment";

export interface WireEntry {
  /** CLOCK_MONOTONIC ms: when it was sent, or arrived at the far end (the kernel's stamp) */
  time: number;
  /** "in": to the kernel; "out": from it */
  direction: Direction;
  /** the IPv4 packet as it was */
  bytes: Uint8Array;
  /** undefined: raw bytes that are no segment */
  segment?: Segment;
}

export interface LogLineOptions {
  /** sequence numbers from the initial ones on, which each side chooses. Default true */
  relative?: boolean;
  /** addresses and ports in front; default: if there is more than one connection */
  ends?: boolean;
}

export class WireLog {
  constructor(
    /** oldest first */
    readonly entries: readonly WireEntry[],
    /** older ones that had to be forgotten */
    readonly forgotten = 0,
  ) {}

  get length(): number {
    return this.entries.length;
  }

  /** CLOCK_MONOTONIC ms of the first segment, from which times are counted; 0 without one */
  get start(): number {
    return this.entries[0]?.time ?? 0;
  }

  /**
   * Packetdrill's notation: "0.000000 < S 0:0(0) win 65535 <mss 1460>". The seconds count from the first segment; packetdrill's "+" in
   * front would mean: after the line before.
   */
  lines(options: LogLineOptions = {}): string[] {
    requireKnown(options, ["relative", "ends"], "lines()");
    const { relative = true, ends } = options;
    const named = ends ?? new Set(this.entries.map(connectionOf)).size > 1;
    const bases = relative ? initialNumbers(this.entries) : undefined;
    return this.entries.map((entry) => {
      const time = ((entry.time - this.start) / 1000).toFixed(6);
      const { segment, direction } = entry;
      if (!segment) return `${time} < ${entry.bytes.length} bytes that are no segment`;
      const peer = direction === "in" ? segment.source : segment.destination;
      return `${time} ${named ? `${peer.address}:${peer.port} ` : ""}${notation(segment, direction, { base: bases && baseOf(bases, entry) })}`;
    });
  }

  /** The log of one peer, or any other part. */
  filter(keep: (entry: WireEntry) => boolean): WireLog {
    return new WireLog(this.entries.filter(keep), this.forgotten);
  }

  /** Writes pcapng, which Wireshark and tshark open; they call bytes that are no segment malformed. Resolves to the number of packets. @throws LabError ENOENT, EACCES, … */
  async toPcap(path: string): Promise<number> {
    const toRealTime = Date.now() - native.now();
    const bytes = pcapng(
      this.entries.map(({ time, direction, bytes }) => ({ time: time + toRealTime, direction, bytes })),
    );
    try {
      await writeFile(path, bytes);
    } catch (error) {
      throw explain(error, `Cannot write ${path}`, {
        ENOENT: "There is no such directory.",
        EACCES: "You may not write there.",
        EISDIR: "That is a directory: name a file.",
      });
    }
    return this.entries.length;
  }

  toString(): string {
    return this.lines().join("\n");
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

type Initial = { in?: number; out?: number };

/** A connection as the wire tells them apart: the same address and port may talk to several listeners. */
export function connectionKey(peer: Endpoint, port: number): string {
  return `${peer.address}:${peer.port} ${port}`;
}

/** The connection that a segment belongs to; bytes that are no segment belong to none: "". */
export function connectionOf({ segment, direction }: WireEntry): string {
  if (!segment) return "";
  return direction === "in"
    ? connectionKey(segment.source, segment.destination.port)
    : connectionKey(segment.destination, segment.source.port);
}

/** The sequence numbers that each side of each connection began with, from the SYNs in the log. */
export function initialNumbers(entries: readonly WireEntry[]): Map<string, Initial> {
  const initial = new Map<string, Initial>();
  for (const entry of entries) {
    if (!entry.segment?.flags.syn) continue;
    const key = connectionOf(entry);
    initial.set(key, { ...initial.get(key), [entry.direction]: entry.segment.sequence });
  }
  return initial;
}

/** What to subtract from an entry's numbers to make them relative. */
export function baseOf(
  initial: ReadonlyMap<string, Initial>,
  entry: WireEntry,
): { sequence: number; acknowledgment: number } {
  const numbers = initial.get(connectionOf(entry));
  const other = entry.direction === "in" ? "out" : "in";
  return { sequence: numbers?.[entry.direction] ?? 0, acknowledgment: numbers?.[other] ?? 0 };
}

/**
 * What went over the wire: every segment with its time, as data, as lines in packetdrill's notation, as a file for
 * Wireshark.
 */
import { writeFile } from "node:fs/promises";
import { inspect } from "node:util";
import { explain, requireKnown } from "../errors";
import { type Endpoint, native } from "../native";
import { type Direction, notation } from "./notation";
import { pcapng } from "./pcapng";
import type { Segment } from "./segment";

/** One packet that went over the wire. */
export interface WireEntry {
  /** CLOCK_MONOTONIC ms at which it was sent, or arrived at the far end (the kernel's time stamp) */
  time: number;
  /** "in": to the kernel; "out": from it */
  direction: Direction;
  /** the IPv4 packet */
  bytes: Uint8Array;
  /** undefined: the bytes are not a TCP segment */
  segment?: Segment;
}

/** How lines() writes a log. */
export interface LogLineOptions {
  /** true: sequence numbers count from the initial one of each side. Default true */
  relative?: boolean;
  /** true: each line begins with the peer's address and port. Default: if the log has more than one connection */
  ends?: boolean;
}

/** The log of a wire at one moment; see Wire.log(). */
export class WireLog {
  /** Wire.log() makes it. */
  constructor(
    /** oldest first */
    readonly entries: readonly WireEntry[],
    /** how many older packets are no longer kept */
    readonly forgotten = 0,
  ) {}

  /** how many packets there are */
  get length(): number {
    return this.entries.length;
  }

  /** CLOCK_MONOTONIC ms of the first packet, from which the times of lines() count; 0 without packets */
  get start(): number {
    return this.entries[0]?.time ?? 0;
  }

  /**
   * One line for each packet, in packetdrill's notation: "0.000000 < S 0:0(0) win 65535 <mss 1460>". The seconds count
   * from the first packet. (With a "+", as packetdrill's scripts have it, they would count from the line before.)
   * Options: `relative`, `ends`.
   * @throws ArgumentError
   */
  lines(options: LogLineOptions = {}): string[] {
    requireKnown(options, ["relative", "ends"], "lines()");
    const { relative = true, ends } = options;
    const named = ends ?? new Set(this.entries.map(connectionOf)).size > 1;
    const bases = relative ? initialNumbers(this.entries) : undefined;
    return this.entries.map((entry) => {
      const time = ((entry.time - this.start) / 1000).toFixed(6);
      const { segment, direction } = entry;
      if (!segment) return `${time} < ${entry.bytes.length} bytes that are not a TCP segment`;
      const peer = direction === "in" ? segment.source : segment.destination;
      return `${time} ${named ? `${peer.address}:${peer.port} ` : ""}${notation(segment, direction, { base: bases && baseOf(bases, entry) })}`;
    });
  }

  /** The entries for which `keep` returns true. */
  filter(keep: (entry: WireEntry) => boolean): WireLog {
    return new WireLog(this.entries.filter(keep), this.forgotten);
  }

  /**
   * Writes a pcapng file, which Wireshark and tshark open; they show bytes that are not a TCP segment as malformed.
   * @returns the number of packets
   * @throws LabError ENOENT, EACCES, EISDIR, …
   */
  async toPcap(path: string): Promise<number> {
    const toRealTime = Date.now() - native.now();
    const bytes = pcapng(this.entries.map((entry) => ({ ...entry, time: entry.time + toRealTime })));
    try {
      await writeFile(path, bytes);
    } catch (error) {
      throw explain(error, `Cannot write ${path}`, {
        ENOENT: "The directory does not exist.",
        EACCES: "You have no permission to write there.",
        EISDIR: "This is a directory. Name a file.",
      });
    }
    return this.entries.length;
  }

  /** One line per segment, oldest first. */
  toString(): string {
    return this.lines().join("\n");
  }

  /** What console.log() and the notebook print. */
  [inspect.custom](): string {
    return this.toString();
  }
}

type Initial = { in?: number; out?: number };

/**
 * The key of a connection on the wire. The same address and port may talk to several listeners, so the listener's port
 * is part of it.
 * @param port of the listener
 */
export function connectionKey(peer: Endpoint, port: number): string {
  return `${peer.address}:${peer.port} ${port}`;
}

/** The key of the connection that a segment belongs to; "" for bytes that are not a TCP segment. */
export function connectionOf({ segment, direction }: WireEntry): string {
  if (!segment) return "";
  return direction === "in"
    ? connectionKey(segment.source, segment.destination.port)
    : connectionKey(segment.destination, segment.source.port);
}

/** The initial sequence numbers of both sides of each connection, from the SYNs in the log. */
function initialNumbers(entries: readonly WireEntry[]): Map<string, Initial> {
  const initial = new Map<string, Initial>();
  for (const entry of entries) {
    if (!entry.segment?.flags.syn) continue;
    const key = connectionOf(entry);
    initial.set(key, { ...initial.get(key), [entry.direction]: entry.segment.sequence });
  }
  return initial;
}

/** What to subtract from an entry's numbers to make them relative. */
function baseOf(initial: ReadonlyMap<string, Initial>, entry: WireEntry): { sequence: number; acknowledgment: number } {
  const numbers = initial.get(connectionOf(entry));
  const other = entry.direction === "in" ? "out" : "in";
  return { sequence: numbers?.[entry.direction] ?? 0, acknowledgment: numbers?.[other] ?? 0 };
}

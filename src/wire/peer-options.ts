/** What readers ask of a peer: its end of the connection, the options of its SYN, how it waits. */
import { types } from "node:util";
import { ArgumentError, requireBoolean, requireInteger } from "../errors";
import { native } from "../native";
import type { TcpOption } from "./options";
import { type SegmentFields, segmentNames } from "./segment";

/** The peer's end of the connection. */
export interface PeerOptions {
  /** an address of 10.0.0.0/8 that the Lab, mirrors and ghosts do not have. Default: 10.2.0.1, 10.2.0.2, … */
  address?: string;
  /** 1 to 65,535; default 40,000 */
  port?: number;
  /** the initial sequence number, 32 bits; default: random, as a kernel's */
  sequence?: number;
  /** the receive window in the peer's segments, bytes, 0 to 65,535; default 65,535 */
  window?: number;
}

/** The TCP options and the data of a SYN. */
export interface SynOptions {
  /** maximum segment size, bytes; 0: no MSS option, which means 536. Default 1460 */
  mss?: number;
  /** shift of the window, 0 to 14; default: no window scale option */
  windowScale?: number;
  /** true: SACK permitted. Default false */
  sack?: boolean;
  /** true: a timestamps option; if the SYN-ACK has one, too, all later segments carry it. Default false */
  timestamps?: boolean;
  /** TCP Fast Open: true asks for a Fast Open cookie; bytes are the cookie. Default: no Fast Open option */
  fastOpen?: true | Uint8Array;
  /** data in the SYN; default: none */
  data?: string | Uint8Array;
}

/** How receive() waits. */
export interface ReceiveOptions {
  /** ms to wait for a segment; Infinity: no time limit. Default 1000 */
  timeout?: number;
}

/** The SYN of a handshake, and how long to wait for the answer. */
export interface HandshakeOptions extends SynOptions, ReceiveOptions {}

/** Fields of a segment that replace what the peer would write. */
export type SegmentChanges = Partial<Omit<SegmentFields, "source" | "destination" | "payload">>;

/** the options of syn() */
export const synNames = ["mss", "windowScale", "sack", "timestamps", "fastOpen", "data"];
/** the fields that a caller may change in a segment of the peer */
export const changeNames = segmentNames.filter((name) => !["source", "destination", "payload"].includes(name));
/** the fields that raw() takes */
export const rawNames = ["source", "destination", "payload", ...changeNames];

/** The timestamps option with the padding of a Linux client. @param echo the value of the other end */
export function timestamps(echo: number): TcpOption[] {
  return [{ kind: "nop" }, { kind: "nop" }, timestamp(echo)];
}

function timestamp(echo: number): TcpOption {
  return { kind: "timestamps", value: Math.floor(native.now()) >>> 0, echo };
}

/** The options in the order and with the padding of a Linux client (tcp_options_write()). @throws ArgumentError */
export function synOptions({
  mss = 1460,
  windowScale,
  sack = false,
  timestamps: clock = false,
  fastOpen,
}: SynOptions): TcpOption[] {
  requireInteger(mss, "mss", 0, 65_535);
  requireBoolean(sack, "sack");
  requireBoolean(clock, "timestamps");
  if (fastOpen !== undefined && fastOpen !== true && !types.isUint8Array(fastOpen))
    throw new ArgumentError(
      `fastOpen must be true, which asks for a cookie, or a Uint8Array with the cookie, not ${JSON.stringify(fastOpen)}.`,
    );
  const options: TcpOption[] = [];
  if (mss > 0) options.push({ kind: "mss", mss });
  if (clock && sack) options.push({ kind: "sackPermitted" }, timestamp(0));
  else if (clock) options.push(...timestamps(0));
  else if (sack) options.push({ kind: "nop" }, { kind: "nop" }, { kind: "sackPermitted" });
  if (windowScale !== undefined)
    options.push({ kind: "nop" }, { kind: "windowScale", shift: requireInteger(windowScale, "windowScale", 0, 14) });
  if (fastOpen) options.push({ kind: "fastOpen", cookie: fastOpen === true ? new Uint8Array() : fastOpen });
  return options;
}

/** Data as bytes; text as UTF-8, and none as no bytes. @throws ArgumentError neither text nor bytes */
export function bytesOf(data: string | Uint8Array | undefined): Uint8Array {
  if (data === undefined) return new Uint8Array();
  if (typeof data === "string") return new TextEncoder().encode(data);
  if (types.isUint8Array(data)) return data;
  throw new ArgumentError(`Data must be a text or a Uint8Array, not ${String(data)}.`);
}

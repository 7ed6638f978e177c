/** What a Segment is made of. Sources: RFC 791 3.1, RFC 9293 3.1. */
import type { Endpoint } from "../native";
import type { TcpOption } from "./options";

export const flagNames = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"] as const;
export type Flag = (typeof flagNames)[number];
/** Bit 0 is FIN. */
export type Flags = Record<Flag, boolean>;

/** What of the IPv4 header a reader may want to set; the rest follows from the segment. */
export interface IpFields {
  /** hops left */
  ttl: number;
  /** type of service: DSCP and ECN */
  tos: number;
  identification: number;
  dontFragment: boolean;
  /** the bit that must be zero */
  reserved: boolean;
  /** IPv4 options as bytes, a multiple of four, at most 40 */
  options: Uint8Array;
}

export interface Segment {
  source: Endpoint;
  destination: Endpoint;
  /** of the first byte of data, or of the SYN or FIN; 32 bits, wraps around */
  sequence: number;
  /** the next sequence number expected; means something only with the ack flag */
  acknowledgment: number;
  flags: Flags;
  /** as it stands in the header, not scaled */
  window: number;
  urgentPointer: number;
  /** the four bits between data offset and flags, the lowest of them AE (RFC 9768) */
  reserved: number;
  options: TcpOption[];
  payload: Uint8Array;
  ip: IpFields;
  /** written instead of the right ones; decoding gives them only where they are wrong */
  checksums: { ip?: number; tcp?: number };
}

/** A segment to be made: all but the ends is optional. */
export type SegmentFields = Pick<Segment, "source" | "destination"> &
  Partial<Omit<Segment, "flags" | "ip" | "source" | "destination">> & {
    flags?: Partial<Flags>;
    ip?: Partial<IpFields>;
  };

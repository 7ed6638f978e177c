/** What a Segment is made of. Sources: RFC 791 3.1, RFC 9293 3.1. */
import type { Endpoint } from "../native";
import type { TcpOption } from "./options";

/** The flags of a TCP header, from bit 0 on. Source: RFC 9293, 3.1 */
export const flagNames = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"] as const;
/** The name of a flag. */
export type Flag = (typeof flagNames)[number];
/** Which flags of a segment are set. */
export type Flags = Record<Flag, boolean>;

/** The fields of the IPv4 header that can be set; the others follow from the segment. */
export interface IpFields {
  /** hops left */
  ttl: number;
  /** type of service: DSCP and ECN */
  tos: number;
  /** 16 bits, to tell the fragments of packets apart */
  identification: number;
  /** the DF flag */
  dontFragment: boolean;
  /** the flag that RFC 791 reserves, and that must be zero */
  reserved: boolean;
  /** IPv4 options as bytes, a multiple of four, at most 40 */
  options: Uint8Array;
}

/** One TCP segment with its IPv4 header, every field present. */
export interface Segment {
  /** address and port of the sender */
  source: Endpoint;
  /** address and port of the receiver */
  destination: Endpoint;
  /** sequence number of the first byte of data, or of the SYN or FIN; 32 bits, wraps around */
  sequence: number;
  /** the next sequence number that the sender expects; valid only with the ack flag */
  acknowledgment: number;
  /** the flags that are set */
  flags: Flags;
  /** the receive window as in the header, before window scaling (bytes in a SYN, units of 2^shift bytes afterwards) */
  window: number;
  /** valid only with the urg flag */
  urgentPointer: number;
  /** the four bits between data offset and flags, the lowest of them AE (RFC 9768) */
  reserved: number;
  /** TCP options in their order */
  options: TcpOption[];
  /** the data, bytes */
  payload: Uint8Array;
  /** the fields of the IPv4 header */
  ip: IpFields;
  /** checksums to write instead of the correct ones; decode() gives only those that are wrong */
  checksums: {
    /** of the IPv4 header */
    ip?: number;
    /** of the TCP segment */
    tcp?: number;
  };
}

/** The fields of a new segment. Only `source` and `destination` must be given; see segment() for the defaults. */
export type SegmentFields = Pick<Segment, "source" | "destination"> &
  Partial<Omit<Segment, "flags" | "ip" | "source" | "destination">> & {
    /** flags that are set; default: the others are not */
    flags?: Partial<Flags>;
    /** fields of the IPv4 header; default: see segment() */
    ip?: Partial<IpFields>;
  };

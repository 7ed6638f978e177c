/**
 * A Segment: one TCP segment with its IPv4 header, encoded and decoded. Sources: RFC 791 3.1, RFC 9293 3.1.
 */
import { inspect, types } from "node:util";
import { dotted, parseAddress } from "../lab/address";
import { headerChecksum, segmentChecksum } from "./checksum";
import { bitField, bytesField, field, requireNames } from "./field";
import { notation } from "./notation";
import { decodeOptions, encodeOptions, PlacedOption, TcpOption } from "./options";
import { flagNames, type Flags, type Segment, type SegmentFields } from "./segment-shape";
import { SegmentError } from "./segment-error";
import { formatNumber } from "../wording/number";

export { flagNames, type Flag, type Flags, type IpFields, type Segment, type SegmentFields } from "./segment-shape";

const segmentNames = [
  "source",
  "destination",
  "sequence",
  "acknowledgment",
  "flags",
  "window",
  "urgentPointer",
  "reserved",
  "options",
  "payload",
  "ip",
  "checksums",
];
const ipNames = ["ttl", "tos", "identification", "dontFragment", "reserved", "options"];

const ipSize = 20;
const tcpSize = 20;
const protocolTcp = 6;
const mostPacketBytes = 0xffff;

/**
 * Fills in what was left out: no flags, sequence numbers 0, window 65,535, no options, TTL 64, don't fragment.
 * @throws SegmentError a name that no field has, a value that is of another kind
 */
export function segment(fields: SegmentFields): Segment {
  requireNames(fields, segmentNames, "A segment");
  const none = Object.fromEntries(flagNames.map((name) => [name, false])) as Flags;
  const made: Segment = {
    sequence: 0,
    acknowledgment: 0,
    window: 65_535,
    urgentPointer: 0,
    reserved: 0,
    options: [],
    payload: new Uint8Array(),
    checksums: {},
    ...fields,
    flags: { ...none, ...fields.flags },
    ip: {
      ttl: 64,
      tos: 0,
      identification: 0,
      dontFragment: true,
      reserved: false,
      options: new Uint8Array(),
      ...fields.ip,
    },
  };
  requireKinds(made);
  return printable(made);
}

function requireKinds(made: Segment): void {
  for (const end of ["source", "destination"] as const)
    requireNames(made[end], ["address", "port"], `The ${end} of a segment`);
  requireNames(made.flags, flagNames, "flags");
  for (const name of flagNames) bitField(made.flags[name], `flags.${name}`);
  requireNames(made.ip, ipNames, "ip");
  bitField(made.ip.dontFragment, "ip.dontFragment");
  bitField(made.ip.reserved, "ip.reserved");
  bytesField(made.ip.options, "ip.options");
  requireNames(made.checksums, ["ip", "tcp"], "checksums");
  if (!Array.isArray(made.options))
    throw new SegmentError("options must be an array of TCP options.", 'Like [{ kind: "mss", mss: 1460 }].');
  bytesField(made.payload, "payload");
}

/** A notebook prints a segment in packetdrill's notation; as data it stays a plain object. */
function printable(made: Segment): Segment {
  return Object.defineProperty(made, inspect.custom, { value: () => notation(made) });
}

/** How far the sequence number moves: bytes of data, and one each for SYN and FIN. */
export function sequenceLength({ flags, payload }: Segment): number {
  return payload.length + Number(flags.syn) + Number(flags.fin);
}

/** The option of a kind, if the segment has it. */
export function optionOf<Kind extends TcpOption["kind"]>(
  { options }: Segment,
  kind: Kind,
): Extract<TcpOption, { kind: Kind }> | undefined {
  return options.find((option): option is Extract<TcpOption, { kind: Kind }> => option.kind === kind);
}

/**
 * The IPv4 packet, checksums written.
 * @throws SegmentError a name that no field has, a value that does not fit its field, an unknown option, too many options, more than 65,535 bytes
 */
export function encode(fields: SegmentFields): Uint8Array {
  const made = segment(fields);
  const options = encodeOptions(made.options);
  const { ip } = made;
  if (ip.options.length % 4 || ip.options.length > 40)
    throw new SegmentError(`IPv4 options take a multiple of 4 bytes, at most 40, not ${ip.options.length}.`);
  const headers = ipSize + ip.options.length + tcpSize + options.length;
  const total = headers + made.payload.length;
  if (total > mostPacketBytes)
    throw new SegmentError(
      `The packet would take ${formatNumber(total)} bytes; IPv4 allows ${formatNumber(mostPacketBytes)}.`,
      "Send less data in one segment.",
    );
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x40 | ((ipSize + ip.options.length) / 4);
  bytes[1] = field(ip.tos, "ip.tos", 255);
  view.setUint16(2, total);
  view.setUint16(4, field(ip.identification, "ip.identification", 0xffff));
  view.setUint16(6, (ip.reserved ? 0x8000 : 0) | (ip.dontFragment ? 0x4000 : 0));
  bytes[8] = field(ip.ttl, "ip.ttl", 255);
  bytes[9] = protocolTcp;
  view.setUint32(12, parseAddress(made.source.address, "source.address"));
  view.setUint32(16, parseAddress(made.destination.address, "destination.address"));
  bytes.set(ip.options, ipSize);
  const tcp = ipSize + ip.options.length;
  view.setUint16(10, field(made.checksums.ip ?? headerChecksum(bytes.subarray(0, tcp)), "checksums.ip", 0xffff));

  view.setUint16(tcp, field(made.source.port, "source.port", 0xffff));
  view.setUint16(tcp + 2, field(made.destination.port, "destination.port", 0xffff));
  view.setUint32(tcp + 4, field(made.sequence, "sequence", 0xffffffff));
  view.setUint32(tcp + 8, field(made.acknowledgment, "acknowledgment", 0xffffffff));
  bytes[tcp + 12] = (((tcpSize + options.length) / 4) << 4) | field(made.reserved, "reserved", 15);
  bytes[tcp + 13] = flagNames.reduce((bits, name, at) => bits | (made.flags[name] ? 1 << at : 0), 0);
  view.setUint16(tcp + 14, field(made.window, "window", 0xffff));
  view.setUint16(tcp + 18, field(made.urgentPointer, "urgentPointer", 0xffff));
  bytes.set(options, tcp + tcpSize);
  bytes.set(made.payload, tcp + tcpSize + options.length);
  view.setUint16(
    tcp + 16,
    field(made.checksums.tcp ?? segmentChecksum(bytes.subarray(12, 20), bytes.subarray(tcp)), "checksums.tcp", 0xffff),
  );
  return bytes;
}

/** A decoded segment and where its parts stand in the packet, bytes. */
export interface Layout {
  segment: Segment;
  options: PlacedOption[];
  tcp: number;
  payload: number;
  end: number;
}

export interface DecodeOptions {
  /** false: wrong checksums are no error; they then stand in `checksums`. Default true */
  verify?: boolean;
}

/**
 * A segment from the bytes of an IPv4 packet. What stands behind the packet's end (a link's padding) is ignored.
 * @throws SegmentError truncated, not IPv4, not TCP, a fragment, lengths or options that contradict each other, a wrong checksum: names the byte
 */
export function decode(bytes: Uint8Array, options?: DecodeOptions): Segment {
  return locate(bytes, options).segment;
}

/** As decode(), with the places of all parts. */
export function locate(bytes: Uint8Array, { verify = true }: DecodeOptions = {}): Layout {
  if (!types.isUint8Array(bytes)) throw new SegmentError(`A packet is a Uint8Array of bytes, not ${String(bytes)}.`);
  const fail = (message: string, offset: number): never => {
    throw new SegmentError(message, undefined, offset);
  };
  const need = (size: number, what: string) => {
    if (bytes.length < size)
      fail(`The packet is cut off: ${what} needs ${size} bytes, and it has ${bytes.length}.`, bytes.length);
  };
  need(ipSize, "an IPv4 header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[0] >> 4;
  if (version !== 4) fail(`This is no IPv4 packet: byte 0 gives version ${version}.`, 0);
  const tcp = (bytes[0] & 15) * 4;
  if (tcp < ipSize) fail(`The IPv4 header says at byte 0 that it is ${tcp} bytes long; the least is ${ipSize}.`, 0);
  const end = view.getUint16(2);
  if (end < tcp) fail(`The packet's length at byte 2 is ${end}, less than its IPv4 header of ${tcp} bytes.`, 2);
  need(end, "the length it gives at byte 2");
  if (bytes[9] !== protocolTcp) fail(`This is no TCP: byte 9 gives protocol ${bytes[9]}.`, 9);
  const fragment = view.getUint16(6);
  if (fragment & 0x3fff)
    fail(
      `This is one fragment of a packet (byte 6: ${fragment & 0x2000 ? "more follow" : "the last one"}, offset ${(fragment & 0x1fff) * 8}).`,
      6,
    );
  if (end - tcp < tcpSize)
    fail(`A TCP header needs ${tcpSize} bytes, and the packet has ${end - tcp} behind its IPv4 header.`, end);
  const headerSize = (bytes[tcp + 12] >> 4) * 4;
  const payload = tcp + headerSize;
  if (headerSize < tcpSize)
    fail(
      `The TCP header says at byte ${tcp + 12} that it is ${headerSize} bytes long; the least is ${tcpSize}.`,
      tcp + 12,
    );
  if (payload > end)
    fail(
      `The TCP header says at byte ${tcp + 12} that it is ${headerSize} bytes long, and the packet ends after ${end - tcp}.`,
      tcp + 12,
    );
  const stored = { ip: view.getUint16(10), tcp: view.getUint16(tcp + 16) };
  const wrong = {
    ip: headerChecksum(bytes.subarray(0, tcp)) !== 0,
    tcp: segmentChecksum(bytes.subarray(12, 20), bytes.subarray(tcp, end)) !== 0,
  };
  if (verify && wrong.ip) fail("The IPv4 header's checksum at byte 10 is wrong.", 10);
  if (verify && wrong.tcp) fail(`The TCP checksum at byte ${tcp + 16} is wrong.`, tcp + 16);
  // 0xffff and 0 are the same number in one's complement; nobody computes the first, but it is not wrong
  const checksums: Segment["checksums"] = {
    ...((wrong.ip || stored.ip === 0xffff) && { ip: stored.ip }),
    ...((wrong.tcp || stored.tcp === 0xffff) && { tcp: stored.tcp }),
  };
  const placed = decodeOptions(bytes.subarray(tcp + tcpSize, payload), tcp + tcpSize);
  const flags = Object.fromEntries(flagNames.map((name, at) => [name, (bytes[tcp + 13] & (1 << at)) !== 0])) as Flags;
  const decoded: Segment = {
    source: { address: dotted(view.getUint32(12)), port: view.getUint16(tcp) },
    destination: { address: dotted(view.getUint32(16)), port: view.getUint16(tcp + 2) },
    sequence: view.getUint32(tcp + 4),
    acknowledgment: view.getUint32(tcp + 8),
    flags,
    window: view.getUint16(tcp + 14),
    urgentPointer: view.getUint16(tcp + 18),
    reserved: bytes[tcp + 12] & 15,
    options: placed.map(({ option }) => option),
    payload: bytes.slice(payload, end),
    ip: {
      ttl: bytes[8],
      tos: bytes[1],
      identification: view.getUint16(4),
      dontFragment: (fragment & 0x4000) !== 0,
      reserved: (fragment & 0x8000) !== 0,
      options: bytes.slice(ipSize, tcp),
    },
    checksums,
  };
  return { segment: printable(decoded), options: placed, tcp, payload, end };
}

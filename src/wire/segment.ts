/**
 * A Segment: one TCP segment with its IPv4 header, encoded and decoded. Sources: RFC 791 3.1, RFC 9293 3.1.
 */
import { inspect, types } from "node:util";
import { dotted, parseAddress } from "../lab/address";
import { headerChecksum, segmentChecksum } from "./checksum";
import { bitField, bytesField, field, requireNames } from "./field";
import { notation } from "./notation";
import { decodeOptions, encodeOptions, type PlacedOption, type TcpOption } from "./options";
import { flagNames, type Flags, type Segment, type SegmentFields } from "./segment-shape";
import { SegmentError } from "./segment-error";
import { formatNumber } from "../wording/number";

export { flagNames, type Flag, type Flags, type IpFields, type Segment, type SegmentFields } from "./segment-shape";

/** the fields of a segment, as segment() takes them */
export const segmentNames = [
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
/** bytes 6 and 7 of the IPv4 header: three flags, and the fragment's offset in units of 8 bytes (RFC 791, 3.1) */
const [reservedFlag, dontFragmentFlag, moreFragmentsFlag, fragmentOffset] = [0x8000, 0x4000, 0x2000, 0x1fff] as const;

/**
 * A segment of these fields and of defaults: no flags, sequence numbers 0, window 65,535, no options, no data, TTL 64,
 * don't fragment.
 * @throws SegmentError a name that no field has, a value of another type than the field's
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

/** A notebook prints a segment in packetdrill's notation; otherwise it is a plain object. */
function printable(made: Segment): Segment {
  return Object.defineProperty(made, inspect.custom, { value: () => notation(made) });
}

/**
 * By how much the segment advances the sequence number: its bytes of data, and 1 each for SYN and FIN (RFC 9293, 3.4).
 */
export function sequenceLength({ flags, payload }: Segment): number {
  return payload.length + Number(flags.syn) + Number(flags.fin);
}

/** The first option of this kind; undefined: the segment has none. */
export function optionOf<Kind extends TcpOption["kind"]>(
  { options }: Segment,
  kind: Kind,
): Extract<TcpOption, { kind: Kind }> | undefined {
  return options.find((option): option is Extract<TcpOption, { kind: Kind }> => option.kind === kind);
}

/**
 * The bytes of an IPv4 packet with this segment, checksums included.
 * @throws SegmentError a name that no field has, a value that does not fit its field, an unknown option, too many
 * options, more than 65,535 bytes
 */
export function encode(fields: SegmentFields): Uint8Array {
  const made = segment(fields);
  const options = encodeOptions(made.options);
  const { ip } = made;
  if (ip.options.length % 4 || ip.options.length > 40)
    throw new SegmentError(`The IPv4 options must have a multiple of 4 bytes, at most 40, not ${ip.options.length}.`);
  const headers = ipSize + ip.options.length + tcpSize + options.length;
  const total = headers + made.payload.length;
  if (total > mostPacketBytes)
    throw new SegmentError(
      `The packet would have ${formatNumber(total)} bytes, and IPv4 allows ${formatNumber(mostPacketBytes)}.`,
      "Send less data in one segment.",
    );
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x40 | ((ipSize + ip.options.length) / 4);
  bytes[1] = field(ip.tos, "ip.tos", 255);
  view.setUint16(2, total);
  view.setUint16(4, field(ip.identification, "ip.identification", 0xffff));
  view.setUint16(6, (ip.reserved ? reservedFlag : 0) | (ip.dontFragment ? dontFragmentFlag : 0));
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

/** A decoded segment and the places of its parts: bytes from the start of the IPv4 header. */
export interface Layout {
  /** the decoded segment */
  segment: Segment;
  /** the options and their places, in their order */
  options: PlacedOption[];
  /** where the TCP header begins */
  tcp: number;
  /** where the data begins */
  payload: number;
  /** the byte after the packet's last */
  end: number;
}

/** How decode() reads a packet. */
export interface DecodeOptions {
  /** false: a wrong checksum is not an error, and stands in `checksums` of the segment. Default true */
  verify?: boolean;
}

/**
 * The segment in the bytes of an IPv4 packet. Bytes behind the packet's end (a link's padding) are ignored.
 * @throws SegmentError names the byte: the packet is cut off, not IPv4, not TCP, a fragment; lengths or options
 * contradict each other; a checksum is wrong
 */
export function decode(bytes: Uint8Array, options?: DecodeOptions): Segment {
  return locate(bytes, options).segment;
}

/** As decode(), with the places of all parts. @throws SegmentError as decode() */
export function locate(bytes: Uint8Array, { verify = true }: DecodeOptions = {}): Layout {
  if (!types.isUint8Array(bytes)) throw new SegmentError(`A packet is a Uint8Array of bytes, not ${String(bytes)}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places = findParts(view);
  const { tcp, payload, end } = places;
  const checksums = wrongChecksums(bytes, view, places, verify);
  const placed = decodeOptions(bytes.subarray(tcp + tcpSize, payload), tcp + tcpSize);
  const bits = view.getUint8(tcp + 13);
  const flags = Object.fromEntries(flagNames.map((name, at) => [name, (bits & (1 << at)) !== 0])) as Flags;
  const fragment = view.getUint16(6);
  const decoded: Segment = {
    source: { address: dotted(view.getUint32(12)), port: view.getUint16(tcp) },
    destination: { address: dotted(view.getUint32(16)), port: view.getUint16(tcp + 2) },
    sequence: view.getUint32(tcp + 4),
    acknowledgment: view.getUint32(tcp + 8),
    flags,
    window: view.getUint16(tcp + 14),
    urgentPointer: view.getUint16(tcp + 18),
    reserved: view.getUint8(tcp + 12) & 15,
    options: placed.map(({ option }) => option),
    payload: bytes.slice(payload, end),
    ip: {
      ttl: view.getUint8(8),
      tos: view.getUint8(1),
      identification: view.getUint16(4),
      dontFragment: (fragment & dontFragmentFlag) !== 0,
      reserved: (fragment & reservedFlag) !== 0,
      options: bytes.slice(ipSize, tcp),
    },
    checksums,
  };
  return { segment: printable(decoded), options: placed, tcp, payload, end };
}

type Places = Pick<Layout, "tcp" | "payload" | "end">;

/**
 * Where the headers and the data begin.
 * @throws SegmentError the lengths contradict each other, or it is not IPv4, not TCP, or a fragment
 */
function findParts(view: DataView): Places {
  const { tcp, end } = findTcp(view);
  if (end - tcp < tcpSize)
    fail(`A TCP header needs ${tcpSize} bytes, and the packet has ${end - tcp} behind its IPv4 header.`, end);
  const at = tcp + 12;
  const headerSize = (view.getUint8(at) >> 4) * 4;
  const payload = tcp + headerSize;
  if (headerSize < tcpSize)
    fail(`The TCP header gives its length at byte ${at} as ${headerSize} bytes; the least is ${tcpSize}.`, at);
  if (payload > end)
    fail(
      `The TCP header gives its length at byte ${at} as ${headerSize} bytes, and the packet ends after ${end - tcp}.`,
      at,
    );
  return { tcp, payload, end };
}

/**
 * Reads from the IPv4 header where the TCP header begins and where the packet ends.
 * @throws SegmentError
 */
function findTcp(view: DataView): Pick<Places, "tcp" | "end"> {
  const need = (size: number, what: string) => {
    const has = view.byteLength;
    if (has < size) fail(`The packet is cut off: ${what} needs ${size} bytes, and it has ${has}.`, has);
  };
  need(ipSize, "an IPv4 header");
  const first = view.getUint8(0);
  const version = first >> 4;
  if (version !== 4) fail(`This is not an IPv4 packet: byte 0 gives version ${version}.`, 0);
  const tcp = (first & 15) * 4;
  if (tcp < ipSize) fail(`The IPv4 header gives its length at byte 0 as ${tcp} bytes; the least is ${ipSize}.`, 0);
  const end = view.getUint16(2);
  if (end < tcp)
    fail(`The packet gives its length at byte 2 as ${end} bytes, less than its IPv4 header of ${tcp} bytes.`, 2);
  need(end, "the length it gives at byte 2");
  const protocol = view.getUint8(9);
  if (protocol !== protocolTcp) fail(`This is not TCP: byte 9 gives protocol ${protocol}.`, 9);
  const fragment = view.getUint16(6);
  if (fragment & (moreFragmentsFlag | fragmentOffset))
    fail(
      `This is a fragment of a packet (byte 6: ${fragment & moreFragmentsFlag ? "more follow" : "the last one"}, offset ${(fragment & fragmentOffset) * 8}).`,
      6,
    );
  return { tcp, end };
}

/** The checksums that are wrong. @throws SegmentError one is wrong, and `verify` asks for right ones */
function wrongChecksums(
  bytes: Uint8Array,
  view: DataView,
  { tcp, end }: Places,
  verify: boolean,
): Segment["checksums"] {
  const stored = { ip: view.getUint16(10), tcp: view.getUint16(tcp + 16) };
  const wrong = {
    ip: headerChecksum(bytes.subarray(0, tcp)) !== 0,
    tcp: segmentChecksum(bytes.subarray(12, 20), bytes.subarray(tcp, end)) !== 0,
  };
  if (verify && wrong.ip) fail("The IPv4 header's checksum at byte 10 is wrong.", 10);
  if (verify && wrong.tcp) fail(`The TCP checksum at byte ${tcp + 16} is wrong.`, tcp + 16);
  // 0xffff and 0 are the same number in one's complement; a sender computes 0, but 0xffff is not wrong
  return {
    ...((wrong.ip || stored.ip === 0xffff) && { ip: stored.ip }),
    ...((wrong.tcp || stored.tcp === 0xffff) && { tcp: stored.tcp }),
  };
}

function fail(message: string, offset: number): never {
  throw new SegmentError(message, undefined, offset);
}

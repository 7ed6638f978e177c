/**
 * TCP options, encoded and decoded. Sources: RFC 9293 3.2 (end, no-operation, MSS), RFC 7323 (window scale, timestamps), RFC 2018 (SACK),
 * RFC 7413 (Fast Open).
 */
import { bytesField, field, requireNames } from "./field";
import { SegmentError } from "./segment-error";

export interface SackBlock {
  /** first sequence number of the block */
  left: number;
  /** the one after its last */
  right: number;
}

export type TcpOption =
  /** the largest segment the sender takes, bytes of data */
  | { kind: "mss"; mss: number }
  /** windows of this sender are to be multiplied by 2^shift */
  | { kind: "windowScale"; shift: number }
  | { kind: "sackPermitted" }
  /** what has arrived out of order; 1 to 4 blocks */
  | { kind: "sack"; blocks: SackBlock[] }
  /** the sender's clock, and the last clock it has seen of the other side (0 in a SYN) */
  | { kind: "timestamps"; value: number; echo: number }
  /** no cookie: asks for one */
  | { kind: "fastOpen"; cookie: Uint8Array }
  | { kind: "nop" }
  /** the end of the list and what stands behind it; only where that is more than the filling up to a multiple of four */
  | { kind: "end"; padding: Uint8Array }
  /** any other, kept as it is */
  | { kind: "unknown"; number: number; data: Uint8Array };

const number = {
  end: 0,
  nop: 1,
  mss: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
  fastOpen: 34,
} as const;
const names: Record<number, string> = {
  2: "maximum segment size",
  3: "window scale",
  4: "SACK permitted",
  5: "SACK",
  8: "timestamps",
  34: "Fast Open",
};
const fieldsOf: Record<TcpOption["kind"], readonly string[]> = {
  mss: ["mss"],
  windowScale: ["shift"],
  sackPermitted: [],
  sack: ["blocks"],
  timestamps: ["value", "echo"],
  fastOpen: ["cookie"],
  nop: [],
  end: ["padding"],
  unknown: ["number", "data"],
};

/** A TCP header of 60 bytes has room for 40. */
export const mostOptionBytes = 40;

/** Where one option stands, for pictures of the bytes. */
export interface PlacedOption {
  option: TcpOption;
  /** offset in the options, and length, bytes */
  at: number;
  length: number;
}

/** The bytes of a list of options, filled with zeros (the end of the list) up to a multiple of four. @throws SegmentError more than 40 bytes; a value that does not fit */
export function encodeOptions(options: readonly TcpOption[]): Uint8Array {
  const bytes: number[] = [];
  for (const option of options) bytes.push(...encodeOption(option));
  while (bytes.length % 4) bytes.push(number.end);
  if (bytes.length > mostOptionBytes)
    throw new SegmentError(
      `The options take ${bytes.length} bytes; a TCP header has room for ${mostOptionBytes}.`,
      "Leave some out.",
    );
  return Uint8Array.from(bytes);
}

function encodeOption(option: TcpOption): number[] {
  const kind = option?.kind as keyof typeof fieldsOf;
  if (!Object.hasOwn(fieldsOf, kind))
    throw new SegmentError(
      `There is no TCP option "${String(kind)}".`,
      `There are: ${Object.keys(fieldsOf).join(", ")}.`,
    );
  requireNames(option, ["kind", ...fieldsOf[kind]], `The option ${kind}`);
  switch (option.kind) {
    case "end":
      return [number.end, ...bytesField(option.padding, "padding")];
    case "nop":
      return [number.nop];
    case "mss":
      return [number.mss, 4, ...word(option.mss, "mss")];
    case "windowScale":
      return [number.windowScale, 3, field(option.shift, "window scale", 255)];
    case "sackPermitted":
      return [number.sackPermitted, 2];
    case "sack": {
      const { blocks } = option;
      if (!Array.isArray(blocks) || blocks.length < 1 || blocks.length > 4)
        throw new SegmentError(
          `A SACK option holds an array of 1 to 4 blocks, not ${Array.isArray(blocks) ? blocks.length : String(blocks)}.`,
        );
      for (const block of blocks) requireNames(block, ["left", "right"], "A SACK block");
      return [
        number.sack,
        2 + 8 * blocks.length,
        ...blocks.flatMap(({ left, right }) => [...long(left, "SACK block"), ...long(right, "SACK block")]),
      ];
    }
    case "timestamps":
      return [number.timestamps, 10, ...long(option.value, "timestamp"), ...long(option.echo, "timestamp echo")];
    case "fastOpen":
      return withLength(number.fastOpen, bytesField(option.cookie, "cookie"));
    case "unknown": {
      field(option.number, "number of an option", 255);
      if (option.number in names || option.number < 2)
        throw new SegmentError(
          `Option ${option.number} is ${names[option.number] ?? "none with a length"}.`,
          "Write it by its kind.",
        );
      return withLength(option.number, bytesField(option.data, "data"));
    }
  }
}

function withLength(kind: number, data: Uint8Array): number[] {
  return [kind, 2 + data.length, ...data];
}

/**
 * @param bytes all between the fixed header and the data
 * @param base offset of the first of them in the packet, for errors
 * @throws SegmentError an option that runs over the header's end, or whose length is not its kind's
 */
export function decodeOptions(bytes: Uint8Array, base = 0): PlacedOption[] {
  const placed: PlacedOption[] = [];
  for (let at = 0; at < bytes.length;) {
    const kind = bytes[at];
    if (kind === number.end) {
      const padding = bytes.slice(at + 1);
      if (padding.length > 2 || padding.some((each) => each !== 0))
        placed.push({ option: { kind: "end", padding }, at, length: bytes.length - at });
      break;
    }
    if (kind === number.nop) {
      placed.push({ option: { kind: "nop" }, at, length: 1 });
      at += 1;
      continue;
    }
    const what = `Option ${kind}${names[kind] ? ` (${names[kind]})` : ""} at byte ${base + at}`;
    if (at + 1 >= bytes.length)
      throw new SegmentError(`${what} has no length: the header ends there.`, undefined, base + at);
    const length = bytes[at + 1];
    if (length < 2)
      throw new SegmentError(`${what} says that it is ${length} bytes long; the least is 2.`, undefined, base + at + 1);
    if (at + length > bytes.length)
      throw new SegmentError(
        `${what} says that it is ${length} bytes long, and the header ends after ${bytes.length - at}.`,
        undefined,
        base + at + 1,
      );
    const data = bytes.slice(at + 2, at + length);
    const option = decodeOption(kind, data);
    if (!option)
      throw new SegmentError(`${what} is ${length} bytes long, which that option never is.`, undefined, base + at + 1);
    placed.push({ option, at, length });
    at += length;
  }
  return placed;
}

function decodeOption(kind: number, data: Uint8Array): TcpOption | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  switch (kind) {
    case number.mss:
      return data.length === 2 ? { kind: "mss", mss: view.getUint16(0) } : undefined;
    case number.windowScale:
      return data.length === 1 ? { kind: "windowScale", shift: data[0] } : undefined;
    case number.sackPermitted:
      return data.length === 0 ? { kind: "sackPermitted" } : undefined;
    case number.sack: {
      if (data.length === 0 || data.length % 8 || data.length > 32) return undefined;
      return {
        kind: "sack",
        blocks: Array.from({ length: data.length / 8 }, (_, at) => ({
          left: view.getUint32(8 * at),
          right: view.getUint32(8 * at + 4),
        })),
      };
    }
    case number.timestamps:
      return data.length === 8 ? { kind: "timestamps", value: view.getUint32(0), echo: view.getUint32(4) } : undefined;
    case number.fastOpen:
      return { kind: "fastOpen", cookie: data };
    default:
      return { kind: "unknown", number: kind, data };
  }
}

function word(value: number, name: string): number[] {
  field(value, name, 0xffff);
  return [value >> 8, value & 255];
}

function long(value: number, name: string): number[] {
  field(value, name, 0xffffffff);
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

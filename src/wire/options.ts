/**
 * TCP options, encoded and decoded. Sources: RFC 9293 3.2 (end, no-operation, MSS), RFC 7323 (window scale,
 * timestamps), RFC 2018 (SACK), RFC 7413 (Fast Open).
 */
import { valueAt } from "../native/column";
import { bytesField, field, requireNames } from "./field";
import { SegmentError } from "./segment-error";

/** Bytes that have arrived out of order. Source: RFC 2018, 3 */
export interface SackBlock {
  /** first sequence number of the block */
  left: number;
  /** the one after its last */
  right: number;
}

/**
 * One TCP option; `kind` says which. Source: RFC 9293 (mss, nop, end), RFC 7323 (windowScale, timestamps), RFC 2018
 * (sackPermitted, sack), RFC 7413 (fastOpen).
 */
export type TcpOption =
  | {
      /** maximum segment size */
      kind: "mss";
      /** the largest segment that the sender accepts, bytes of data */
      mss: number;
    }
  | {
      /** window scale */
      kind: "windowScale";
      /** the windows of this sender are in units of 2^shift bytes */
      shift: number;
    }
  | {
      /** the sender accepts SACK options; only in a SYN */
      kind: "sackPermitted";
    }
  | {
      /** selective acknowledgment */
      kind: "sack";
      /** the data that has arrived out of order; 1 to 4 blocks */
      blocks: SackBlock[];
    }
  | {
      /** timestamps */
      kind: "timestamps";
      /** the sender's clock */
      value: number;
      /** the last value that the sender has received from the other side; 0 in a SYN */
      echo: number;
    }
  | {
      /** Fast Open */
      kind: "fastOpen";
      /** the Fast Open cookie; without bytes, the option asks for one */
      cookie: Uint8Array;
    }
  | {
      /** no-operation: one byte between options */
      kind: "nop";
    }
  | {
      /** the end of the list */
      kind: "end";
      /** the bytes behind it, if they are more than the padding to a multiple of four */
      padding: Uint8Array;
    }
  | {
      /** any other option */
      kind: "unknown";
      /** its number (IANA, TCP Option Kind Numbers) */
      number: number;
      /** its bytes behind number and length */
      data: Uint8Array;
    };

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
const names: ReadonlyMap<number, string> = new Map([
  [number.end, "the end of the list"],
  [number.nop, "no-operation"],
  [number.mss, "maximum segment size"],
  [number.windowScale, "window scale"],
  [number.sackPermitted, "SACK permitted"],
  [number.sack, "SACK"],
  [number.timestamps, "timestamps"],
  [number.fastOpen, "Fast Open"],
]);
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
const fieldsByKind: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(fieldsOf));

/** A TCP header has at most 60 bytes, 20 of them fixed. */
const mostOptionBytes = 40;

/** Where one option stands, for pictures of the bytes. */
export interface PlacedOption {
  /** the option */
  option: TcpOption;
  /** its offset in the options, bytes */
  at: number;
  /** its length, bytes */
  length: number;
}

/**
 * The bytes of a list of options, padded with zeros (the end of the list) to a multiple of four.
 * @throws SegmentError more than 40 bytes, an unknown option, a value that does not fit
 */
export function encodeOptions(options: readonly TcpOption[]): Uint8Array {
  const bytes: number[] = [];
  for (const option of options) bytes.push(...encodeOption(option));
  while (bytes.length % 4) bytes.push(number.end);
  if (bytes.length > mostOptionBytes)
    throw new SegmentError(
      `The options take ${bytes.length} bytes, and a TCP header has at most ${mostOptionBytes} bytes for them.`,
      "Leave some out.",
    );
  return Uint8Array.from(bytes);
}

function encodeOption(option: TcpOption): number[] {
  requireOption(option);
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
    case "sack":
      return encodeSack(option.blocks);
    case "timestamps":
      return [number.timestamps, 10, ...long(option.value, "timestamp"), ...long(option.echo, "timestamp echo")];
    case "fastOpen":
      return withLength(number.fastOpen, bytesField(option.cookie, "cookie"));
    case "unknown":
      return encodeUnknown(option);
  }
}

/** What the types promise, asked of values that a notebook gives. @throws SegmentError */
function requireOption(option: unknown): void {
  const kind = kindOf(option);
  const fields = fieldsByKind.get(kind);
  if (fields === undefined)
    throw new SegmentError(`There is no TCP option "${kind}".`, `The options are ${Object.keys(fieldsOf).join(", ")}.`);
  requireNames(option, ["kind", ...fields], `The option ${kind}`);
}

function kindOf(option: unknown): string {
  return typeof option === "object" && option !== null && "kind" in option ? String(option.kind) : String(option);
}

function encodeSack(blocks: unknown): number[] {
  if (!Array.isArray(blocks) || blocks.length < 1 || blocks.length > 4)
    throw new SegmentError(
      `A SACK option has an array of 1 to 4 blocks, not ${Array.isArray(blocks) ? blocks.length : String(blocks)}.`,
    );
  for (const block of blocks as unknown[]) requireNames(block, ["left", "right"], "A SACK block");
  const edges = (blocks as SackBlock[]).flatMap(({ left, right }) => [
    ...long(left, "SACK block"),
    ...long(right, "SACK block"),
  ]);
  return [number.sack, 2 + edges.length, ...edges];
}

function encodeUnknown(option: Extract<TcpOption, { kind: "unknown" }>): number[] {
  field(option.number, "number of an option", 255);
  const name = names.get(option.number);
  if (name !== undefined)
    throw new SegmentError(`Option ${option.number} is ${name}.`, `Write it by its kind, not as "unknown".`);
  return withLength(option.number, bytesField(option.data, "data"));
}

function withLength(kind: number, data: Uint8Array): number[] {
  return [kind, 2 + data.length, ...data];
}

/**
 * The options of a TCP header, each with its place.
 * @param bytes all between the fixed header and the data
 * @param base offset of the first of them in the packet, for errors
 * @throws SegmentError an option that runs over the header's end, or whose length is not its kind's
 */
export function decodeOptions(bytes: Uint8Array, base = 0): PlacedOption[] {
  const placed: PlacedOption[] = [];
  for (let at = 0; at < bytes.length;) {
    const kind = valueAt(bytes, at);
    if (kind === number.end) {
      const padding = bytes.slice(at + 1);
      if (padding.length > 2 || padding.some((each) => each !== 0))
        placed.push({ option: { kind: "end", padding }, at, length: bytes.length - at });
      break;
    }
    const next: PlacedOption =
      kind === number.nop ? { option: { kind: "nop" }, at, length: 1 } : placedOption(bytes, at, base);
    placed.push(next);
    at += next.length;
  }
  return placed;
}

/** The option at a place, which has a length. @throws SegmentError */
function placedOption(bytes: Uint8Array, at: number, base: number): PlacedOption {
  const kind = valueAt(bytes, at);
  const name = names.get(kind);
  const what = `Option ${kind}${name === undefined ? "" : ` (${name})`} at byte ${base + at}`;
  const length = bytes[at + 1];
  if (length === undefined)
    throw new SegmentError(`${what} has no length: the header ends there.`, undefined, base + at);
  const lengthAt = base + at + 1;
  if (length < 2) throw new SegmentError(`${what} has the length ${length}; the least is 2.`, undefined, lengthAt);
  if (at + length > bytes.length)
    throw new SegmentError(
      `${what} has the length ${length}, and the header ends after ${bytes.length - at} bytes.`,
      undefined,
      lengthAt,
    );
  const option = decodeOption(kind, bytes.slice(at + 2, at + length));
  if (!option)
    throw new SegmentError(`${what} has the length ${length}, which this option never has.`, undefined, lengthAt);
  return { option, at, length };
}

function decodeOption(kind: number, data: Uint8Array): TcpOption | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  switch (kind) {
    case number.mss:
      return data.length === 2 ? { kind: "mss", mss: view.getUint16(0) } : undefined;
    case number.windowScale:
      return data.length === 1 ? { kind: "windowScale", shift: view.getUint8(0) } : undefined;
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

/**
 * The file of a Trace: gzip around one line `One Listener trace, version 1`, one line of JSON (meta, events, and for each track its
 * rows and its columns' types), spaces up to a multiple of 8 bytes, and the columns one after the other as little-endian numbers, each
 * padded to 8 bytes: for each track `time` (float64), then the columns in the order of the JSON. gzip's checksum and length protect the whole.
 * The file of a running recording is a sequence of such files, one gzip member after the other: each holds the rows and events since the
 * member before, and the meta so far. When the recording process is killed, the members before are whole.
 */
import { readFile } from "node:fs/promises";
import { endianness } from "node:os";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { constants, gunzip, gzip } from "node:zlib";
import { ArgumentError, LabError } from "../errors";
import { writeWhole } from "../files/whole";
import { ColumnBuffer } from "./column-buffer";
import type { TraceData, TraceMeta } from "./data";
import { faultOf, type Column, type Track, type TraceEvent } from "./track";

const title = "One Listener trace, version ";
const version = 1;
const alignment = 8;

const columnTypes = {
  float64: Float64Array,
  float32: Float32Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint8: Uint8Array,
} as const;
type ColumnType = keyof typeof columnTypes;

interface Header {
  meta: TraceMeta;
  start: number;
  end: number;
  events: readonly TraceEvent[];
  tracks: readonly TrackHeader[];
}

interface TrackHeader {
  name: string;
  rows: number;
  columns: readonly { name: string; type: ColumnType }[];
}

/** See Trace.save(). The file has its name only when it is complete. @returns its size, bytes @throws LabError */
export async function saveTrace(trace: Required<TraceData>, path: string): Promise<number> {
  const compressed = await compressTrace(trace);
  try {
    await writeWhole(path, compressed);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new LabError(`The trace could not be saved to ${path}: ${(cause as Error).message}.`, {
      code: code ?? "ERR_TRACE",
      cause,
      hint:
        code === "ENOENT"
          ? `Make the directory ${dirname(path)} first.`
          : "Choose another path, or free space on this disk.",
    });
  }
  return compressed.length;
}

/** One gzip member: a whole file, or a piece of a growing one. */
export function compressTrace(trace: Required<TraceData>): Promise<Buffer> {
  return promisify(gzip)(encodeTrace(trace), { level: 6 });
}

/** See Trace.load(). @throws LabError */
export async function loadTrace(path: string): Promise<TraceData> {
  let compressed: Buffer;
  try {
    compressed = await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "ERR_TRACE";
    throw new LabError(`The trace ${path} could not be read: ${(cause as Error).message}.`, {
      code,
      cause,
      hint: "Check the path.",
    });
  }
  return decompressTrace(compressed, path);
}

/**
 * The Trace that compressTrace() made bytes of.
 * @param compressed one gzip member, or several: the pieces of a growing file
 * @param name what the bytes are, as messages name them: the file's path
 * @throws LabError ERR_TRACE: it is not a Trace, cut off, damaged, or of a newer format
 */
export async function decompressTrace(compressed: Uint8Array, name: string): Promise<TraceData> {
  const damaged = (why: string, hint = "Load another copy of it, or record again."): LabError =>
    new LabError(`${name} ${why}.`, { code: "ERR_TRACE", hint });
  if (compressed.length < 2 || compressed[0] !== 0x1f || compressed[1] !== 0x8b)
    throw damaged("is not a saved trace", "Traces are written by trace.save(path).");
  let bytes: Buffer;
  let cut = false;
  try {
    bytes = await promisify(gunzip)(compressed);
  } catch (cause) {
    cut = (cause as NodeJS.ErrnoException).code === "Z_BUF_ERROR";
    if (!cut) throw damaged(`is damaged (${(cause as Error).message})`);
    bytes = await promisify(gunzip)(compressed, { finishFlush: constants.Z_SYNC_FLUSH });
  }
  try {
    const [first, ...more] = decodePieces(bytes, cut);
    if (first === undefined) throw new Error("is cut off: it is an incomplete saved trace");
    return joinPieces(first, more);
  } catch (cause) {
    throw damaged((cause as Error).message);
  }
}

/** @param cut the last piece is incomplete, because the process was killed while it wrote; if only the piece's checksum is missing, it counts */
function decodePieces(bytes: Buffer, cut: boolean): TraceData[] {
  const pieces: TraceData[] = [];
  let left = bytes;
  while (left.length > 0) {
    try {
      const { trace, length } = decodeTrace(left);
      pieces.push(trace);
      left = left.subarray(length);
    } catch (cause) {
      if (cut) break;
      throw cause;
    }
  }
  return pieces;
}

function joinPieces(first: TraceData, more: readonly TraceData[]): TraceData {
  const last = more.at(-1);
  if (last === undefined) return first;
  const pieces = [first, ...more];
  const tracks: Record<string, Track> = {};
  for (const name of new Set(pieces.flatMap((piece) => Object.keys(piece.tracks)))) {
    const parts = pieces.flatMap(({ tracks: { [name]: part } }) => (part === undefined ? [] : [part]));
    tracks[name] = sound(name, joinTracks(parts));
  }
  return {
    meta: last.meta,
    tracks,
    events: pieces.flatMap(({ events = [] }) => events),
    start: first.start,
    end: last.end,
  };
}

function joinTracks(parts: readonly Track[]): Track {
  const columns = new Map<string, Column[]>();
  for (const part of parts)
    for (const [name, column] of Object.entries(part.columns))
      columns.set(name, [...(columns.get(name) ?? []), column]);
  return {
    time: joinColumns(parts.map(({ time }) => time)) as Float64Array,
    columns: Object.fromEntries([...columns].map(([name, pieces]) => [name, joinColumns(pieces)])),
  };
}

/** @throws Error whose message continues "<path> …": the track is not one */
function sound(name: string, track: Track): Track {
  const fault = faultOf(track);
  if (fault !== undefined) throw new Error(`is damaged: in track ${name}, ${fault}`);
  return track;
}

/** Each piece has its columns in the narrowest type that holds them: ColumnBuffer finds the one for all. */
function joinColumns(parts: readonly Column[]): Column {
  const joined = new ColumnBuffer(parts[0] instanceof Float64Array);
  for (const part of parts) joined.append(part);
  return joined.finish();
}

/** The bytes inside the gzip. */
function encodeTrace(trace: Required<TraceData>): Buffer {
  const header: Header = {
    meta: trace.meta,
    start: trace.start,
    end: trace.end,
    events: trace.events,
    tracks: Object.entries(trace.tracks).map(([name, { time, columns }]) => ({
      name,
      rows: time.length,
      columns: Object.entries(columns).map(([column, values]) => ({ name: column, type: typeOf(values) })),
    })),
  };
  const text = Buffer.from(`${title}${version}\n${JSON.stringify(header)}\n`);
  const parts: Uint8Array[] = [text, padding(text.length, 0x20)];
  for (const { time, columns } of Object.values(trace.tracks)) {
    for (const column of [time, ...Object.values(columns)])
      parts.push(littleEndian(column), padding(column.byteLength, 0));
  }
  return Buffer.concat(parts);
}

/** The trace at the beginning of these bytes, and how many of them it takes. @throws Error whose message continues "<path> …" */
function decodeTrace(bytes: Buffer): { trace: TraceData; length: number } {
  const titleEnd = bytes.subarray(0, 64).indexOf("\n");
  const found = /^One Listener trace, version (\d+)$/.exec(bytes.toString("latin1", 0, Math.max(titleEnd, 0)));
  if (found === null) throw new Error("is not a saved trace");
  if (Number(found[1]) !== version)
    throw new Error(`is a trace of format version ${found[1]}; this version of One Listener reads version ${version}`);
  const headerEnd = bytes.indexOf("\n", titleEnd + 1);
  const header = parseHeader(bytes.toString("utf8", titleEnd + 1, Math.max(headerEnd, titleEnd + 1)));
  let offset = headerEnd + 1 + padding(headerEnd + 1, 0).length;
  const take = (type: ColumnType, rows: number): Column => {
    const length = rows * columnTypes[type].BYTES_PER_ELEMENT;
    if (offset + length > bytes.length) throw new Error("is cut off: its columns are shorter than its header says");
    const column = fromLittleEndian(type, bytes.subarray(offset, offset + length));
    offset += length + padding(length, 0).length;
    return column;
  };
  const tracks: Record<string, Track> = {};
  for (const { name, rows, columns } of header.tracks) {
    const time = take("float64", rows) as Float64Array;
    const values = Object.fromEntries(columns.map((column) => [column.name, take(column.type, rows)]));
    tracks[name] = sound(name, { time, columns: values });
  }
  return {
    trace: { meta: header.meta, tracks, events: header.events, start: header.start, end: header.end },
    length: offset,
  };
}

/** @throws Error whose message continues "<path> …" */
function parseHeader(text: string): Header {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw new Error("is damaged: its header cannot be read");
  }
  if (!isHeader(header)) throw new Error("is damaged: its header is incomplete");
  return header;
}

function isHeader(value: unknown): value is Header {
  const { meta, start, end, events, tracks } = fields(value);
  return (
    typeof fields(fields(meta).listener).port === "number" &&
    Number.isFinite(start) &&
    Number.isFinite(end) &&
    listOf(events, (event) => Number.isFinite(fields(event).time) && typeof fields(event).name === "string") &&
    listOf(tracks, isTrackHeader)
  );
}

function isTrackHeader(value: unknown): boolean {
  const { name, rows, columns } = fields(value);
  return (
    typeof name === "string" &&
    Number.isSafeInteger(rows) &&
    Number(rows) >= 0 &&
    listOf(columns, (column) => {
      const { name: columnName, type } = fields(column);
      return typeof columnName === "string" && typeof type === "string" && Object.hasOwn(columnTypes, type);
    })
  );
}

/** The fields of an object that a file has given; none of anything else. */
function fields(value: unknown): Partial<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? value : {};
}

function listOf(value: unknown, holds: (element: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(holds);
}

function typeOf(column: Column): ColumnType {
  const found = Object.entries(columnTypes).find(([, type]) => column instanceof type);
  if (found === undefined)
    throw new ArgumentError(
      `A column must be a typed array of numbers, not ${Object.prototype.toString.call(column)}.`,
    );
  return found[0] as ColumnType;
}

function padding(length: number, fill: number): Buffer {
  return Buffer.alloc((alignment - (length % alignment)) % alignment, fill);
}

function littleEndian(column: Column): Buffer {
  const bytes = Buffer.from(column.buffer as ArrayBuffer, column.byteOffset, column.byteLength);
  return swapOnBigEndian(Buffer.from(bytes), column.BYTES_PER_ELEMENT);
}

function fromLittleEndian(type: ColumnType, bytes: Buffer): Column {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  swapOnBigEndian(Buffer.from(copy.buffer), columnTypes[type].BYTES_PER_ELEMENT);
  return new columnTypes[type](copy.buffer);
}

function swapOnBigEndian(bytes: Buffer, size: number): Buffer {
  if (endianness() === "LE" || size === 1) return bytes;
  return size === 2 ? bytes.swap16() : size === 4 ? bytes.swap32() : bytes.swap64();
}

/**
 * A track: columns of numbers that share one ascending time column, with step semantics. A value holds from its row until the
 * next row; rows in which nothing changed need not be stored.
 */

import { valueAt } from "../native/column";

/** The element types of a column. A recorded column has the narrowest that holds every value exactly. */
export type Column = Float64Array | Float32Array | Uint32Array | Int32Array | Uint16Array | Int16Array | Uint8Array;

/**
 * Columns over one time axis. The tracks of a recording:
 * - `queues`, connections: `acceptQueue` and `acceptMax` (the length and the limit of the accept queue), `synQueue` (half-open requests),
 *   `accepted` (by the accept loops of this process, cumulative). A recording of a Listener has those of this listener; a recording of a port has the
 *   sums over all listeners on the port.
 * - `listeners`, only where several share the port: `listeners` (how many), `fullest` and `fullestMax` (length and limit of the accept
 *   queue that is fullest for its size).
 * - `counters`: one column for each recorded counter, its increase since the recording started; of sockstat and meminfo the value itself.
 * - `clients`, clients: one column for each client state (`synSent`, `established`, …).
 */
export interface Track {
  /** ms since the recording started, ascending; one element for each row */
  readonly time: Float64Array;
  /** by name; each is as long as `time` */
  readonly columns: Readonly<Record<string, Column>>;
}

/** Something that happened at one instant: listen, burst, drain, accept loop, … */
export interface TraceEvent {
  /** ms since the recording started */
  readonly time: number;
  /** what happened, in a word */
  readonly name: string;
  /** what a label shows beside the name, like "200 clients" */
  readonly detail?: string;
}

/** The last row at or before the time `at` (ms), or -1 if the track begins later. Of rows with equal times it is the last. */
export function rowAt(time: ArrayLike<number>, at: number): number {
  let low = 0;
  let high = time.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (valueAt(time, middle) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What is wrong with a track, in words, or undefined. */
export function faultOf(track: Track): string | undefined {
  const { time, columns } = track;
  let before = -Infinity;
  for (const [row, now] of time.entries()) {
    if (!Number.isFinite(now)) return `time[${row}] is ${now}`;
    if (now < before) return `time is not ascending at row ${row}: ${now} after ${before}`;
    before = now;
  }
  for (const [name, column] of Object.entries(columns)) {
    if (column.length !== time.length) return `column ${name} has ${column.length} rows, time has ${time.length}`;
  }
  return undefined;
}

/** The rows of `track` with the indexes `rows`, at the times given (default: their own). */
function takeRows(track: Track, rows: ArrayLike<number>, times?: Float64Array): Track {
  const take = <T extends Column>(column: T): T => {
    const taken = new (column.constructor as new (length: number) => T)(rows.length);
    for (let i = 0; i < rows.length; i++) taken[i] = valueAt(column, valueAt(rows, i));
    return taken;
  };
  const columns: Record<string, Column> = {};
  for (const [name, column] of Object.entries(track.columns)) columns[name] = take(column);
  return { time: times ?? take(track.time), columns };
}

/** The track between two times: the value that held at `from` becomes a row at `from`. */
export function sliceTrack(track: Track, from: number, to: number): Track {
  const carried = rowAt(track.time, from);
  const last = rowAt(track.time, to);
  const first = Math.max(carried, 0);
  const length = Math.max(last - first + 1, 0);
  const rows = Int32Array.from({ length }, (_, i) => first + i);
  const sliced = takeRows(track, rows);
  if (carried >= 0 && length > 0) sliced.time[0] = from;
  return sliced;
}

/** The track's values at each of the ascending `times`; times before the track begins are left out. */
export function resampleTrack(track: Track, times: Float64Array): Track {
  const kept = times.slice(firstAtOrAfter(times, track.time[0] ?? Infinity));
  const rows = new Int32Array(kept.length);
  let row = 0;
  for (const [i, time] of kept.entries()) {
    while ((track.time[row + 1] ?? Infinity) <= time) row++;
    rows[i] = row;
  }
  return takeRows(track, rows, kept);
}

/**
 * The track with few rows for each `width` ms: those at which a column of `peaks` is greatest, and the last one, so that no peak is lost and
 * each value holds as long as it did. Thinning again with a multiple of the width gives the same as thinning once with that multiple.
 * @param peaks names of columns
 */
export function thinTrack(track: Track, width: number, peaks: readonly string[]): Track {
  const watched = peaks.flatMap((name) => track.columns[name] ?? []);
  const kept: number[] = [];
  for (let first = 0; first < track.time.length;) {
    const last = lastOfBucket(track.time, first, width);
    const highest = watched.map((column) => greatestOf(column, first, last));
    kept.push(...[...new Set([...highest, last])].sort((a, b) => a - b));
    first = last + 1;
  }
  return takeRows(track, kept);
}

/** The last row in the same interval of `width` ms as the row `first`. */
function lastOfBucket(time: Float64Array, first: number, width: number): number {
  const bucket = Math.floor(valueAt(time, first) / width);
  let last = first;
  while (Math.floor((time[last + 1] ?? Infinity) / width) === bucket) last++;
  return last;
}

/** The first row from `first` to `last` at which the column is greatest. */
function greatestOf(column: Column, first: number, last: number): number {
  let highest = first;
  for (let row = first + 1; row <= last; row++) if (valueAt(column, row) > valueAt(column, highest)) highest = row;
  return highest;
}

function firstAtOrAfter(times: Float64Array, at: number): number {
  let index = rowAt(times, at);
  while (index >= 0 && times[index] === at) index--;
  return index + 1;
}

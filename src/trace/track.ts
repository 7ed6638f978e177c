/**
 * A track: columns of numbers that share one ascending time column, with step semantics. A value holds from its row until the
 * next row; rows in which nothing changed need not be stored.
 */

/** The element types a column can have. Recorded columns take the narrowest that holds every value exactly. */
export type Column = Float64Array | Float32Array | Uint32Array | Int32Array | Uint16Array | Int16Array | Uint8Array;

/** Columns over one time axis. `time` is ascending, in ms since the recording started; every column is as long as `time`. */
export interface Track {
  readonly time: Float64Array;
  readonly columns: Readonly<Record<string, Column>>;
}

/** Something that happened at one instant: listen, burst, drain, accept, … */
export interface TraceEvent {
  /** ms since the recording started */
  readonly time: number;
  readonly name: string;
  /** what a label shows beside the name, e.g. "200 clients" */
  readonly detail?: string;
}

/** The last row at or before `at`, or -1 if the track begins later. Rows of equal time: the last of them. */
export function rowAt(time: ArrayLike<number>, at: number): number {
  let low = 0;
  let high = time.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (time[middle] <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What is wrong with a track, in words, or undefined. */
export function faultOf(track: Track): string | undefined {
  const { time, columns } = track;
  for (let row = 0; row < time.length; row++) {
    if (!Number.isFinite(time[row])) return `time[${row}] is ${time[row]}`;
    if (row > 0 && time[row] < time[row - 1])
      return `time is not ascending at row ${row}: ${time[row]} after ${time[row - 1]}`;
  }
  for (const [name, column] of Object.entries(columns)) {
    if (column.length !== time.length) return `column ${name} has ${column.length} rows, time has ${time.length}`;
  }
  return undefined;
}

/** The rows of `track` named by `rows`, at the times given (default: their own). */
export function takeRows(track: Track, rows: ArrayLike<number>, times?: Float64Array): Track {
  const take = <T extends Column>(column: T): T => {
    const taken = new (column.constructor as new (length: number) => T)(rows.length);
    for (let i = 0; i < rows.length; i++) taken[i] = column[rows[i]];
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
  const begin = track.time.length === 0 ? times.length : firstAtOrAfter(times, track.time[0]);
  const kept = times.slice(begin);
  const rows = new Int32Array(kept.length);
  let row = 0;
  for (let i = 0; i < kept.length; i++) {
    while (row + 1 < track.time.length && track.time[row + 1] <= kept[i]) row++;
    rows[i] = row;
  }
  return takeRows(track, rows, kept);
}

/**
 * The track with few rows for each `width` ms of it: those at which a column of `peaks` is greatest, and the last one, so that no peak is lost and
 * each value holds as long as it did. Thinning a second time, with a multiple of the width, gives what thinning once with that would have.
 */
export function thinTrack(track: Track, width: number, peaks: readonly string[]): Track {
  const watched = peaks.map((name) => track.columns[name]);
  const kept: number[] = [];
  for (let first = 0; first < track.time.length;) {
    const bucket = Math.floor(track.time[first] / width);
    const highest = watched.map(() => first);
    let next = first + 1;
    for (; next < track.time.length && Math.floor(track.time[next] / width) === bucket; next++) {
      for (let i = 0; i < watched.length; i++) if (watched[i][next] > watched[i][highest[i]]) highest[i] = next;
    }
    kept.push(...[...new Set([...highest, next - 1])].sort((a, b) => a - b));
    first = next;
  }
  return takeRows(track, kept);
}

function firstAtOrAfter(times: Float64Array, at: number): number {
  let index = rowAt(times, at);
  while (index >= 0 && times[index] === at) index--;
  return index + 1;
}

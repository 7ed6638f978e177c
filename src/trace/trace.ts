import { inspect } from "node:util";
import { ArgumentError } from "../errors";
import { valueAt } from "../native/column";
import { traceToCSV } from "./csv";
import type { Series, TraceData, TraceMeta, TraceView } from "./data";
import { loadTrace, saveTrace } from "./file";
import { traceToJSONLines } from "./json-lines";
import { formatNumber, formatTime } from "../wording/number";
import { TraceSummary } from "./summary";
import { faultOf, resampleTrack, rowAt, sliceTrack, type Column, type Track, type TraceEvent } from "./track";

/** What fromRows() adds to the rows. */
export interface FromRowsOptions {
  /** default: port 0, kernel "unknown", started in 1970 */
  meta?: Partial<TraceMeta>;
  /** default: none */
  events?: readonly TraceEvent[];
  /** ms; default: the time of the last row or event */
  end?: number;
}

/**
 * A recording of one listener over time: queue depths, counters and client states as columns of numbers, and events.
 * Immutable. Times are ms since the recording started (CLOCK_MONOTONIC); a value holds until the next row of its track.
 * The columns are those of Track: `trace.column("acceptQueue").values`, `trace.at(500).synQueue`.
 */
export class Trace implements TraceView {
  /** what was recorded, and how */
  readonly meta: TraceMeta;
  /** by name; see Track */
  readonly tracks: Readonly<Record<string, Track>>;
  /** ascending in time */
  readonly events: readonly TraceEvent[];
  /** ms since the recording started; 0 except in slices */
  readonly start: number;
  /** ms since the recording started */
  readonly end: number;
  /** Every column over all tracks; a name that two tracks share is written `track.column`. */
  readonly columnNames: readonly string[];
  readonly #series: Map<string, Series>;

  /** Takes the data as it is, without a copy or a check: a live recording makes a Trace several times per second. */
  constructor(data: TraceData) {
    this.meta = data.meta;
    this.tracks = data.tracks;
    this.events = [...(data.events ?? [])].sort((a, b) => a.time - b.time);
    const lastTimes = Object.values(data.tracks).map(({ time }) => time.at(-1) ?? 0);
    this.start = data.start ?? 0;
    this.end = data.end ?? Math.max(this.start, ...lastTimes, ...this.events.slice(-1).map((event) => event.time));
    this.#series = seriesByName(data.tracks);
    this.columnNames = [...this.#series.keys()];
  }

  /**
   * A Trace from rows, for data that was not recorded here.
   * @param tracks rows of each track: `{ time, …columns }`, ascending in time; the first row names the columns
   * @throws ArgumentError a time is not finite or not ascending, a row has no value for a column
   */
  static fromRows(
    tracks: Readonly<Record<string, readonly Readonly<{ time: number } & Record<string, number>>[]>>,
    options: FromRowsOptions = {},
  ): Trace {
    const built: Record<string, Track> = {};
    for (const [name, rows] of Object.entries(tracks)) {
      const names = Object.keys(rows[0] ?? {}).filter((column) => column !== "time");
      const columns: Record<string, Column> = {};
      for (const column of names)
        columns[column] = Float64Array.from(rows, (row, at) => {
          const value = row[column];
          if (typeof value !== "number") throw new ArgumentError(`Track ${name}: row ${at} has no number "${column}".`);
          return value;
        });
      const track = { time: Float64Array.from(rows, (row) => row.time), columns };
      const fault = faultOf(track);
      if (fault !== undefined) throw new ArgumentError(`Track ${name}: ${fault}.`);
      built[name] = track;
    }
    const unknown: TraceMeta = {
      startedAt: new Date(0).toISOString(),
      hz: 0,
      kernel: "unknown",
      listener: { port: 0, backlog: 0 },
      settings: {},
      samples: 0,
      missed: 0,
      cpu: 0,
    };
    return new Trace({
      meta: { ...unknown, ...options.meta },
      tracks: built,
      events: options.events,
      end: options.end,
    });
  }

  /**
   * Reads a file that save() wrote, or the part of a recording that its file has so far.
   * @throws LabError ENOENT, EACCES, …: it cannot be read; ERR_TRACE: it is not a Trace, cut off, damaged, or of a
   * newer format
   */
  static async load(path: string): Promise<Trace> {
    return new Trace(await loadTrace(path));
  }

  /** ms between `start` and `end` */
  get duration(): number {
    return this.end - this.start;
  }

  /**
   * One column by name. The last part of a counter's name is enough ("ListenDrops" for "TcpExt.ListenDrops") if only
   * one counter has it.
   * @throws ArgumentError there is no such column
   */
  column(name: string): Series {
    const found = this.findColumn(name);
    if (found === undefined)
      throw new ArgumentError(`This trace has no column "${name}".`, `It has ${this.columnNames.join(", ")}.`);
    return found;
  }

  /** Like column(), but undefined if there is none. */
  findColumn(name: string): Series | undefined {
    const exact = this.#series.get(name);
    if (exact !== undefined) return exact;
    const [ending, ...more] = this.columnNames.filter((column) => column.endsWith(`.${name}`));
    return ending !== undefined && more.length === 0 ? this.#series.get(ending) : undefined;
  }

  /**
   * Every column's value at a time (ms), by the column's name; NaN before its first row.
   * @throws ArgumentError the time is not a finite number
   */
  at(time: number): Record<string, number> {
    requireTime("time", time);
    const values: Record<string, number> = {};
    for (const [name, series] of this.#series) {
      const row = rowAt(series.time, time);
      values[name] = row < 0 ? NaN : valueAt(series.values, row);
    }
    return values;
  }

  /**
   * The part between two times (ms), both included. Times still count from the start of the recording; the value that
   * held at `from` becomes a row at `from`.
   * @throws ArgumentError a time is not a finite number, or `to` is before `from`
   */
  slice(from: number, to: number): Trace {
    requireTime("from", from);
    requireTime("to", to);
    if (to < from) throw new ArgumentError(`slice(from, to) needs from <= to, not ${from} and ${to}.`);
    const start = Math.min(Math.max(from, this.start), this.end);
    const end = Math.max(Math.min(to, this.end), start);
    return this.#with(
      (track) => sliceTrack(track, start, end),
      this.events.filter(({ time }) => time >= from && time <= to),
      start,
      end,
    );
  }

  /**
   * The same recording at evenly spaced instants, the first of them at `start`. Each instant has the value that held
   * then: nothing is interpolated.
   * @param spacing the number of points, the last one at `end`; or `{ hz }`, points per second
   * @throws ArgumentError fewer than 1 point, or more than 100 million
   */
  resample(spacing: number | { hz: number }): Trace {
    const times = typeof spacing === "number" ? this.#points(spacing) : this.#rate(spacing.hz);
    return this.#with((track) => resampleTrack(track, times), this.events, this.start, this.end);
  }

  /** First, last, least, greatest and time-weighted mean value of each column; see ColumnSummary. Prints as a table. */
  summary(): TraceSummary {
    return new TraceSummary(this);
  }

  /**
   * Comma-separated values (RFC 4180): one row for each instant at which a row or an event was stored. The columns are
   * `time_ms`, those of the trace with the values that hold at this instant, and `event`.
   */
  toCSV(): string {
    return traceToCSV(this);
  }

  /** JSON lines: the meta first, then one object for each row and event, in the order of time. */
  toJSONLines(): string {
    return traceToJSONLines(this);
  }

  /**
   * Writes one compact file, whole or not at all.
   * @returns its size, bytes
   * @throws LabError ENOENT, EACCES, ENOSPC, …
   */
  save(path: string): Promise<number> {
    return saveTrace(this, path);
  }

  /** What this is a recording of, in one line. */
  describe(): string {
    const { name, listener, kernel, samples, hz, resolution, unfinished } = this.meta;
    const what = name === undefined ? "Trace" : `Trace "${name}"`;
    const several = listener.listeners === undefined ? "" : `${listener.listeners} listeners of `;
    const thinned = resolution === undefined ? "" : ` (peaks of each ${formatTime(resolution)} kept)`;
    return `${what} of port ${listener.port}, ${several}backlog ${formatNumber(listener.backlog)}: ${formatTime(this.duration)}, ${formatNumber(samples)} samples at ${formatNumber(hz)} Hz${thinned}, ${this.events.length} events, Linux ${kernel}${unfinished ? ", unfinished" : ""}`;
  }

  /** What console.log() and the notebook print. */
  [inspect.custom](): string {
    return this.describe();
  }

  #with(change: (track: Track) => Track, events: readonly TraceEvent[], start: number, end: number): Trace {
    const tracks = Object.fromEntries(Object.entries(this.tracks).map(([name, track]) => [name, change(track)]));
    return new Trace({ meta: this.meta, tracks, events, start, end });
  }

  #points(points: number): Float64Array {
    if (!Number.isSafeInteger(points) || points < 1 || points > 1e8)
      throw new ArgumentError(`resample() needs 1 to 100 million points, not ${points}.`);
    return Float64Array.from({ length: points }, (_, i) =>
      points > 1 && i === points - 1 ? this.end : this.start + (this.duration * i) / Math.max(points - 1, 1),
    );
  }

  #rate(hz: number): Float64Array {
    const points = Math.floor((this.duration * hz) / 1000 + 1e-9) + 1;
    if (!(hz > 0) || !(points <= 1e8))
      throw new ArgumentError(
        `resample({ hz }) needs hz > 0 and at most 100 million points, not ${hz} Hz over ${formatTime(this.duration)}.`,
      );
    return Float64Array.from({ length: points }, (_, i) => this.start + (i * 1000) / hz);
  }
}

function requireTime(name: string, value: number): void {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new ArgumentError(`${name} must be a time in ms, not ${String(value)}.`);
}

function seriesByName(tracks: Readonly<Record<string, Track>>): Map<string, Series> {
  const owners = new Map<string, number>();
  for (const track of Object.values(tracks)) {
    for (const name of Object.keys(track.columns)) owners.set(name, (owners.get(name) ?? 0) + 1);
  }
  const series = new Map<string, Series>();
  for (const [trackName, track] of Object.entries(tracks)) {
    for (const [column, values] of Object.entries(track.columns)) {
      const name = (owners.get(column) ?? 0) > 1 ? `${trackName}.${column}` : column;
      series.set(name, { name, track: trackName, time: track.time, values });
    }
  }
  return series;
}

import type { SamplerRows } from "../native";
import { ClientState } from "../native/clients"; // not from "../native", which loads the addon
import { valueAt } from "../native/column";
import { ColumnBuffer } from "./column-buffer";
import type { TraceMeta } from "./data";
import { Trace } from "./trace";
import { thinTrack, type Column, type Track, type TraceEvent } from "./track";

/** Names of the columns of the track `clients`, in the order of ClientState. */
export const clientStateNames = Object.keys(ClientState) as (keyof typeof ClientState)[];

const queueNames = ["acceptQueue", "acceptMax", "synQueue", "accepted"] as const;
const sharingNames = ["listeners", "fullest", "fullestMax"] as const;

/** What is known of a recording before it ends; the sampler adds the rest. */
export type RecordingMeta = Omit<TraceMeta, "samples" | "missed" | "cpu" | "resolution" | "unfinished">;

/** How long a recording may become. */
export interface TraceBuilderOptions {
  /** the greatest number of rows of a track; a longer recording is thinned to half as many rows, which keep its peaks. Default: no limit */
  mostRows?: number;
}

/** Appends the rows of a sampler, batch by batch, and makes Traces of them: snapshot() at any time without a copy, finish() at the end. */
export class TraceBuilder {
  /** samples taken so far, stored or not */
  samples = 0;
  /** samples skipped so far, because the sampling thread woke a whole period late */
  missed = 0;
  /** CPU time of the sampling thread so far, ms */
  cpu = 0;
  /** rows and events appended so far; unchanged means that a new snapshot would show nothing new */
  revision = 0;
  /** ms: of each such interval, except the newest ones, only the peaks and the last row are kept; 0 while nothing was thinned */
  resolution = 0;
  readonly #mostRows: number;
  readonly #queues = new TrackBuffer(queueNames, ["acceptQueue", "synQueue"]);
  readonly #listeners = new TrackBuffer(sharingNames, ["fullest"]);
  readonly #counters: TrackBuffer;
  readonly #clients = new TrackBuffer(clientStateNames);
  readonly #events: TraceEvent[] = [];

  /** @param counterNames as given to the sampler, in its order */
  constructor(counterNames: readonly string[] = [], { mostRows = Infinity }: TraceBuilderOptions = {}) {
    this.#mostRows = mostRows;
    this.#counters = new TrackBuffer(counterNames);
  }

  /** Appends one batch. @throws RangeError it has another number of counters than the builder has names */
  append(rows: SamplerRows): void {
    const { queues, listeners, counters, clients } = rows;
    this.#queues.append(
      queues.time,
      queueNames.map((name) => queues[name]),
    );
    this.#listeners.append(
      listeners.time,
      sharingNames.map((name) => listeners[name]),
    );
    this.#counters.append(counters.time, counters.columns);
    this.#clients.append(clients.time, clients.columns);
    this.samples = rows.samples;
    this.missed = rows.missed;
    this.cpu = rows.cpu;
    this.revision += queues.time.length + listeners.time.length + counters.time.length + clients.time.length;
    this.#keepWithin();
  }

  /** Appends one event. */
  event(event: TraceEvent): void {
    this.#events.push(event);
    this.revision++;
  }

  /** The recording so far. Shares its columns with the builder, which only ever writes behind them. @param end ms, if later than the last row */
  snapshot(meta: RecordingMeta, end?: number): Trace {
    return this.#trace(meta, (buffer) => buffer.view(), end);
  }

  /** The whole recording, in buffers of exactly its size. */
  finish(meta: RecordingMeta): Trace {
    return this.#trace(meta, (buffer) => buffer.finish());
  }

  #keepWithin(): void {
    const buffers = [this.#queues, this.#listeners, this.#counters, this.#clients];
    const longerThan = (most: number) => buffers.some(({ length }) => length > most);
    if (!longerThan(this.#mostRows)) return;
    // the rows since the last thinning are still as they were sampled: to thin those may be enough
    for (this.resolution ||= 1; ; this.resolution *= 2) {
      for (const buffer of buffers) buffer.thin(this.resolution);
      if (!longerThan(this.#mostRows / 2)) return;
    }
  }

  #trace(meta: RecordingMeta, columnOf: (buffer: ColumnBuffer) => Column, end = 0): Trace {
    const tracks: Record<string, Track> = { queues: this.#queues.track(columnOf) };
    if (this.#listeners.length > 0) tracks.listeners = this.#listeners.track(columnOf);
    if (this.#counters.named) tracks.counters = this.#counters.track(columnOf);
    if (this.#clients.length > 0) tracks.clients = this.#clients.track(columnOf);
    const { samples, missed, cpu, resolution } = this;
    return new Trace({
      meta: { ...meta, samples, missed, cpu, ...(resolution > 0 && { resolution }) },
      tracks,
      events: this.#events,
      end: Math.max(end, this.#lastTime()),
    });
  }

  #lastTime(): number {
    const lastEvent = this.#events.reduce((latest, event) => Math.max(latest, event.time), 0);
    return Math.max(
      this.#queues.lastTime,
      this.#listeners.lastTime,
      this.#counters.lastTime,
      this.#clients.lastTime,
      lastEvent,
    );
  }
}

class TrackBuffer {
  lastTime = 0;
  #time = new ColumnBuffer(true);
  readonly #columns: Map<string, ColumnBuffer>;

  /** @param peaks columns whose greatest values outlive thinning */
  constructor(
    names: readonly string[],
    private readonly peaks: readonly string[] = [],
  ) {
    this.#columns = new Map(names.map((name) => [name, new ColumnBuffer()]));
  }

  get length(): number {
    return this.#time.length;
  }

  get named(): boolean {
    return this.#columns.size > 0;
  }

  append(time: Float64Array, columns: readonly ArrayLike<number>[]): void {
    if (time.length === 0) return;
    if (columns.length !== this.#columns.size)
      throw new RangeError(
        `There are ${columns.length} columns for the names ${[...this.#columns.keys()].join(", ")}.`,
      );
    this.#time.append(time);
    const buffers = [...this.#columns.values()];
    for (const [i, column] of columns.entries()) buffers[i]?.append(column);
    this.lastTime = valueAt(time, time.length - 1);
  }

  /** Traces that were made before keep their rows. */
  thin(width: number): void {
    const thinned = thinTrack(
      this.track((buffer) => buffer.view()),
      width,
      this.peaks,
    );
    this.#time = ColumnBuffer.of(thinned.time);
    for (const [name, column] of Object.entries(thinned.columns)) this.#columns.set(name, ColumnBuffer.of(column));
  }

  track(columnOf: (buffer: ColumnBuffer) => Column): Track {
    const columns: Record<string, Column> = {};
    for (const [name, buffer] of this.#columns) columns[name] = columnOf(buffer);
    return { time: columnOf(this.#time) as Float64Array, columns };
  }
}

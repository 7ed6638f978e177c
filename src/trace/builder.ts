import type { ClientState, SamplerRows } from "../native";
import { ColumnBuffer } from "./column-buffer";
import { Trace, type TraceMeta } from "./trace";
import type { Column, Track, TraceEvent } from "./track";

const states = {
  idle: 0, synSent: 1, established: 2, refused: 3, timedOut: 4, reset: 5, closedByServer: 6, closed: 7, failed: 8,
} as const satisfies typeof ClientState;

/** Names of the columns of the track `clients`, in the order of ClientState. */
export const clientStateNames = Object.keys(states) as (keyof typeof ClientState)[];

const queueNames = ["acceptQueue", "acceptMax", "synQueue", "accepted"] as const;

/** What is known of a recording before it ends; the sampler adds the rest. */
export type RecordingMeta = Omit<TraceMeta, "samples" | "missed" | "cpu">;

/** Appends what a sampler drains, batch by batch, and makes Traces of it: snapshot() at any time without a copy, finish() at the end. */
export class TraceBuilder {
  samples = 0;
  missed = 0;
  /** ms */
  cpu = 0;
  /** rows and events appended so far; unchanged means that a new snapshot would show nothing new */
  revision = 0;
  readonly #queues = new TrackBuffer(queueNames);
  readonly #counters: TrackBuffer;
  readonly #clients = new TrackBuffer(clientStateNames);
  readonly #events: TraceEvent[] = [];

  /** @param counterNames as given to the sampler, in its order */
  constructor(counterNames: readonly string[] = []) {
    this.#counters = new TrackBuffer(counterNames);
  }

  append(rows: SamplerRows): void {
    const { queues, counters, clients } = rows;
    this.#queues.append(queues.time, queueNames.map((name) => queues[name]));
    this.#counters.append(counters.time, counters.columns);
    this.#clients.append(clients.time, clients.columns);
    this.samples = rows.samples;
    this.missed = rows.missed;
    this.cpu = rows.cpu;
    this.revision += queues.time.length + counters.time.length + clients.time.length;
  }

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

  #trace(meta: RecordingMeta, columnOf: (buffer: ColumnBuffer) => Column, end = 0): Trace {
    const tracks: Record<string, Track> = { queues: this.#queues.track(columnOf) };
    if (this.#counters.named) tracks.counters = this.#counters.track(columnOf);
    if (this.#clients.length > 0) tracks.clients = this.#clients.track(columnOf);
    const { samples, missed, cpu } = this;
    return new Trace({ meta: { ...meta, samples, missed, cpu }, tracks, events: this.#events, end: Math.max(end, this.#lastTime()) });
  }

  #lastTime(): number {
    const lastEvent = this.#events.reduce((latest, event) => Math.max(latest, event.time), 0);
    return Math.max(this.#queues.lastTime, this.#counters.lastTime, this.#clients.lastTime, lastEvent);
  }
}

class TrackBuffer {
  lastTime = 0;
  readonly #time = new ColumnBuffer(true);
  readonly #columns: Map<string, ColumnBuffer>;

  constructor(names: readonly string[]) {
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
    if (columns.length !== this.#columns.size) throw new RangeError(`${columns.length} columns came where ${[...this.#columns.keys()].join(", ")} are named`);
    this.#time.append(time);
    let i = 0;
    for (const column of this.#columns.values()) column.append(columns[i++]);
    this.lastTime = time[time.length - 1];
  }

  track(columnOf: (buffer: ColumnBuffer) => Column): Track {
    const columns: Record<string, Column> = {};
    for (const [name, buffer] of this.#columns) columns[name] = columnOf(buffer);
    return { time: columnOf(this.#time) as Float64Array, columns };
  }
}

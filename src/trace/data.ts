/** The data of a Trace, as its file, its exports and its summary use it. */
import type { Column, Track, TraceEvent } from "./track";

/** What a Trace is a recording of, and how it was recorded. */
export interface TraceMeta {
  /** as given to record() */
  readonly name?: string;
  /** wall clock of time zero, ISO 8601 */
  readonly startedAt: string;
  /** samples per second that were asked for */
  readonly hz: number;
  /** kernel release, as `uname -r` prints it */
  readonly kernel: string;
  /** the listener that was recorded */
  readonly listener: {
    /** its port */
    readonly port: number;
    /** its backlog, connections */
    readonly backlog: number;
    /** the number of listeners that share the port; absent if it is one */
    readonly listeners?: number;
  };
  /** values of the Lab's sysctls by name, like "net.ipv4.tcp_syncookies" */
  readonly settings: Readonly<Record<string, number | string>>;
  /** samples taken, stored or not */
  readonly samples: number;
  /** samples skipped because the sampling thread woke a whole period late */
  readonly missed: number;
  /** CPU time of the sampling thread, ms */
  readonly cpu: number;
  /**
   * ms; only in a recording so long that it was thinned: its older part has, of each such interval, only the peaks and
   * the last row
   */
  readonly resolution?: number;
  /** true: loaded from the file of a recording that was still running, or whose process was killed */
  readonly unfinished?: boolean;
}

/** The parts of a Trace. */
export interface TraceData {
  /** where, when and how it was recorded */
  readonly meta: TraceMeta;
  /** by name: `queues`, `listeners`, `counters`, `clients` in a recording of ours; see Track */
  readonly tracks: Readonly<Record<string, Track>>;
  /** default: none */
  readonly events?: readonly TraceEvent[];
  /** ms; default 0 */
  readonly start?: number;
  /** ms; default: the time of the last row or event */
  readonly end?: number;
}

/** One column with its time axis. */
export interface Series {
  /** the column's name */
  readonly name: string;
  /** name of the track that has the column */
  readonly track: string;
  /** ms since the recording started, ascending; one element for each row */
  readonly time: Float64Array;
  /** the values, as long as `time`: each holds until the next row */
  readonly values: Column;
}

/** A whole Trace as its exports and its summary read it; see Trace. */
export interface TraceView extends Required<TraceData> {
  /** the names of all columns; see Trace.columnNames */
  readonly columnNames: readonly string[];
  /** See Trace.column(). */
  column(name: string): Series;
  /** See Trace.describe(). */
  describe(): string;
}

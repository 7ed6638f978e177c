/** The data of a Trace, as its file, its exports and its summary take it. */
import type { Column, Track, TraceEvent } from "./track";

/** On what, and how, a Trace was recorded. */
export interface TraceMeta {
  readonly name?: string;
  /** wall clock of time zero, ISO 8601 */
  readonly startedAt: string;
  /** samples a second that were asked for */
  readonly hz: number;
  /** kernel release, as `uname -r` prints it */
  readonly kernel: string;
  /** `listeners`: how many share the port, where it is more than one */
  readonly listener: { readonly port: number; readonly backlog: number; readonly listeners?: number };
  /** sysctls of the Lab by name, e.g. "net.ipv4.tcp_syncookies" */
  readonly settings: Readonly<Record<string, number | string>>;
  /** samples taken, stored or not */
  readonly samples: number;
  /** samples skipped because the sampling thread woke a whole period late */
  readonly missed: number;
  /** CPU time of the sampling thread, ms */
  readonly cpu: number;
  /** ms, of a recording so long that it was thinned: of the rows of such a time its older part has only the peaks and the last one */
  readonly resolution?: number;
  /** true: loaded from the file of a recording that was still running, or was killed */
  readonly unfinished?: boolean;
}

export interface TraceData {
  readonly meta: TraceMeta;
  readonly tracks: Readonly<Record<string, Track>>;
  readonly events?: readonly TraceEvent[];
  /** ms; default: 0 and the last row or event */
  readonly start?: number;
  readonly end?: number;
}

/** One column with its time axis. */
export interface Series {
  readonly name: string;
  /** name of the track it lies in */
  readonly track: string;
  readonly time: Float64Array;
  readonly values: Column;
}

/** A whole Trace as its exports and its summary read it; see Trace. */
export interface TraceView extends Required<TraceData> {
  readonly columnNames: readonly string[];
  column(name: string): Series;
  describe(): string;
}

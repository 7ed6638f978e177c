/** The moments of a moving picture, and the values of the recording at each. */
import { rowAt, type Trace } from "../trace";

/** The values of a recording at one moment, in connections. */
export interface Moment {
  /** ms since the start of the recording */
  readonly time: number;
  /** in the SYN queue */
  readonly syn: number;
  /** in the accept queue */
  readonly accept: number;
  /** accepted so far */
  readonly accepted: number;
  /** TcpExt.ListenDrops so far */
  readonly drops: number;
}

/** The values at a time, in ms; what was not recorded is 0. */
export function momentAt(trace: Trace, time: number): Moment {
  const value = (name: string): number => {
    if (!trace.columnNames.includes(name)) return 0;
    const { time: times, values } = trace.column(name);
    return values[Math.max(0, rowAt(times, time))] ?? 0;
  };
  return {
    time,
    syn: value("synQueue"),
    accept: value("acceptQueue"),
    accepted: value("accepted"),
    drops: value("TcpExt.ListenDrops"),
  };
}

/**
 * Times so chosen that half of the film goes by the clock and half by what happens: a burst of a millisecond is seen as
 * well.
 * @returns ascending, in ms, with the first and the last moment; about `count`
 */
export function chooseMoments(trace: Trace, count: number): number[] {
  const { time } = trace.column("acceptQueue");
  const [first] = time;
  if (first === undefined) return [trace.start];
  const timeOf = (row: number) => time[row] ?? trace.end;
  const changed = changesUntil(trace);
  const total = changed.at(-1) || 1;
  const duration = trace.end - first || 1;
  const progress = (row: number) => (0.5 * (changed[row] ?? 0)) / total + (0.5 * (timeOf(row) - first)) / duration;
  const chosen = [first];
  const last = () => chosen.at(-1) ?? first;
  const isLeft = () => chosen.length < count;
  /** how far the film must have come for its next picture */
  const due = () => chosen.length / (count - 1);
  for (const row of time.keys()) {
    // quiet stretches have no rows of their own: the clock goes on in them
    const quiet = (0.5 * (timeOf(row + 1) - timeOf(row))) / duration;
    while (isLeft() && progress(row) + quiet >= due()) {
      const missing = Math.max(0, due() - progress(row));
      chosen.push(Math.min(trace.end, timeOf(row) + missing * 2 * duration));
    }
    const next = timeOf(row + 1);
    if (isLeft() && row + 1 < time.length && progress(row + 1) >= due() && last() < next) chosen.push(next);
  }
  if (last() < trace.end) chosen.push(trace.end);
  return chosen;
}

/** How many connections have entered or left a queue until each row: it only grows. */
function changesUntil(trace: Trace): Float64Array {
  const accept = trace.column("acceptQueue").values;
  const syn = trace.column("synQueue").values;
  const changed = new Float64Array(accept.length);
  let sum = 0;
  for (let row = 1; row < changed.length; row++) {
    const step = (values: ArrayLike<number>) => Math.abs((values[row] ?? 0) - (values[row - 1] ?? 0));
    sum += step(accept) + step(syn);
    changed[row] = sum;
  }
  return changed;
}

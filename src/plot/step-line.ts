import { type Series, type Trace } from "../trace";
import { decimateRows, mostPoints } from "./decimate";
import { type Json } from "./figure";
import type { TimeAxis } from "./time-axis";

/** A quiet stretch gets a point every so often (as a share of the picture), so that hovering tells the value anywhere. */
const quietShare = 1 / 50;

export interface StepOptions {
  /** most points of a line; default 1500 */
  points?: number;
  /** points in quiet stretches, for hovering; default true */
  hover?: boolean;
}

/** Step lines over the same rows of one track: x once, y for each. They reach to the end of the trace. */
export interface StepLines {
  x: number[];
  y: number[][];
}

/** @param series of one track */
export function stepLines(trace: Trace, series: readonly Series[], time: TimeAxis, { points = mostPoints, hover = true }: StepOptions = {}): StepLines {
  const lines: StepLines = { x: [], y: series.map(() => []) };
  if (series.length === 0 || series[0].time.length === 0) return lines;
  const { time: times } = series[0];
  const rows = decimateRows(times, series.map(({ values }) => values), points);
  const quiet = hover ? trace.duration * quietShare : Infinity;
  const add = (at: number, row: number): void => {
    lines.x.push(time(at));
    series.forEach(({ values }, i) => lines.y[i].push(values[row]));
  };
  rows.forEach((row, i) => {
    const from = times[row];
    const until = i + 1 < rows.length ? times[rows[i + 1]] : Math.max(trace.end, from);
    add(from, row);
    if (until - from > quiet) for (let n = 1, parts = Math.ceil((until - from) / quiet); n < parts; n++) add(from + ((until - from) * n) / parts, row);
    if (i + 1 === rows.length && until > from) add(until, row);
  });
  return lines;
}

/** The look of one step line. */
export function stepTrace(name: string, x: readonly number[], y: readonly number[], colour: string, more: Json = {}): Json {
  const { line, ...rest } = more;
  return { type: "scatter", mode: "lines", name, x, y, hovertemplate: "%{y}", ...rest, line: { shape: "hv", color: colour, width: 2.5, ...(line as Json | undefined) } };
}

export function greatest(series: Series | undefined): number {
  let most = 0;
  if (series) for (const value of series.values) if (value > most) most = value;
  return most;
}

export function lastOf(series: Series | undefined): number {
  return series && series.values.length > 0 ? series.values[series.values.length - 1] : 0;
}

import { formatNumber, type Series, type Trace } from "../trace";
import type { Figure } from "./figure";
import { counterColours, sequence } from "./palette";
import { compose, type Panel } from "./panel";
import { greatest, lastOf, stepLines, stepTrace, type StepOptions } from "./step-line";
import { timeAxis, type TimeAxis } from "./time-axis";
import { seriesInWords } from "./words";

export interface DropCountersOptions extends StepOptions {
  /** px of the plot itself; default 260 */
  height?: number;
  title?: string;
}

/** Lines that lie on one another stay visible: the first is the broadest. */
const broadest = 7;
const narrowest = 2;
const nothing = "nothing dropped, no cookies";

/**
 * How often has the kernel turned somebody away, and how?
 * @param names counters, whether they moved or not; default: those of the overflow counters that moved
 * @throws ArgumentError a named counter was not recorded
 */
export function dropCounters(trace: Trace, names?: readonly string[], options: DropCountersOptions = {}): Figure {
  const time = timeAxis(trace);
  return compose(trace, options.title ?? "Dropped, refused, answered with a cookie", [counterPanel(trace, time, names, options)], time, counterLines(trace, names));
}

export function counterPanel(trace: Trace, time: TimeAxis, names?: readonly string[], { height = 260, ...steps }: DropCountersOptions = {}): Panel {
  const series = chosen(trace, names);
  const others = series.filter(({ name }) => !(name in counterColours));
  const lines = series.map((counter, i) => {
    const { x, y } = stepLines(trace, [counter], time, steps);
    const width = series.length > 1 ? broadest - ((broadest - narrowest) * i) / (series.length - 1) : 2.5;
    return stepTrace(short(counter.name), x, y[0], counterColours[counter.name] ?? sequence[others.indexOf(counter) % sequence.length], { line: { width: Number(width.toFixed(1)) } });
  });
  return {
    title: "counted",
    height,
    top: Math.max(0, ...series.map(greatest)),
    data: lines,
    ends: series.map((counter, i) => ({ name: short(counter.name), colour: (lines[i].line as { color: string }).color, at: lastOf(counter), value: formatNumber(lastOf(counter)) })),
    ...(series.every((counter) => greatest(counter) === 0) && { note: series.length === 0 ? nothing : "none of these moved" }),
  };
}

/** The panel in words. */
export function counterLines(trace: Trace, names?: readonly string[]): string[] {
  const series = chosen(trace, names);
  if (series.length === 0) return [`  ${nothing}`];
  return seriesInWords(trace, series.map((counter) => ({ name: short(counter.name), value: `+${formatNumber(lastOf(counter))}`, series: counter })));
}

function chosen(trace: Trace, names: readonly string[] | undefined): Series[] {
  if (names !== undefined) return names.map((name) => trace.column(name));
  const recorded = trace.tracks.counters?.columns ?? {};
  return Object.keys(counterColours).filter((name) => name in recorded).map((name) => trace.column(name)).filter((counter) => greatest(counter) > 0);
}

function short(name: string): string {
  return name.slice(name.indexOf(".") + 1);
}

import type { PlotData } from "plotly.js";
import { formatNumber, formatTime } from "../wording/number";
import { baseLayout, significant, type Figure } from "./figure";
import { seriesColour, seriesDash } from "./palette";

/** One line of {@link latencies}. */
export interface LatencySeries {
  /** what the legend calls it */
  name: string;
  /** ms, one for each client that came; NaN: never */
  values: ArrayLike<number>;
  /** CSS colour; default: one after the other */
  colour?: string;
}

/** How {@link latencies} draws. */
export interface LatenciesOptions {
  /** what the values are, with their unit; default "time to connect, ms" */
  title?: string;
}

const mostPoints = 400;
const digits = 4;

/** A series in ascending order, without clients that were never served. */
interface Sorted {
  readonly series: LatencySeries;
  /** all clients that came */
  readonly came: number;
  /** ms, ascending */
  readonly times: readonly number[];
}

/**
 * What share of all clients that came was served within which time? A rising line for each series, percent over ms (logarithmic). Clients
 * that were never served keep the line below 100 %.
 */
export function latencies(
  series: readonly LatencySeries[],
  { title = "time to connect, ms" }: LatenciesOptions = {},
): Figure {
  const sorted = series.map((each): Sorted => {
    const times = Array.from(each.values).filter((ms) => !Number.isNaN(ms));
    return { series: each, came: each.values.length, times: times.sort((a, b) => a - b) };
  });
  const span = spanOf(sorted);
  return {
    data: sorted.map((each, at) => shareLine(each, at, span)),
    layout: {
      ...baseLayout(380),
      xaxis: {
        title: { text: title },
        type: "log",
        ...(span.shortest > 0 && { range: [Math.log10(span.shortest) - 0.1, Math.log10(span.longest) + 0.1] }),
      },
      yaxis: { title: { text: "clients, % of all who came" }, range: [-1, 103], zeroline: false },
    },
    text: [`${title}; shares of all who came:`, ...sorted.map(wordsFor)].join("\n"),
  };
}

interface Span {
  readonly shortest: number;
  readonly longest: number;
}

/** The shortest and the longest of all: a line without a client must lie somewhere. */
function spanOf(sorted: readonly Sorted[]): Span {
  let shortest = Infinity;
  let longest = -Infinity;
  for (const { times } of sorted) {
    shortest = Math.min(shortest, times.at(0) ?? Infinity);
    longest = Math.max(longest, times.at(-1) ?? -Infinity);
  }
  return shortest <= longest
    ? { shortest: significant(shortest, digits), longest: significant(longest, digits) }
    : { shortest: 1, longest: 1000 };
}

function shareLine({ series, came, times }: Sorted, at: number, span: Span): Partial<PlotData> {
  const stride = Math.max(1, Math.ceil(times.length / mostPoints));
  const kept = times
    .map((ms, rank) => ({ ms, rank }))
    .filter(({ rank }) => rank % stride === 0 || rank === times.length - 1);
  const x = kept.map(({ ms }) => significant(ms, digits));
  const y = kept.map(({ rank }) => Number((((rank + 1) / came) * 100).toFixed(2)));
  return {
    type: "scatter",
    mode: "lines",
    name: times.length < came ? `${series.name}: ${formatNumber(times.length)} of ${formatNumber(came)}` : series.name,
    x: came === 0 ? [] : [x[0] ?? span.shortest, ...x, span.longest],
    y: came === 0 ? [] : [0, ...y, y.at(-1) ?? 0],
    line: { shape: "hv", width: 2.5, color: series.colour ?? seriesColour(at), dash: seriesDash(at) },
  };
}

/** "a: 3 of 6; half of them within 3.00 ms, 99 % never": shares of all that came. */
function wordsFor({ series: { name }, came, times }: Sorted): string {
  if (came === 0) return `  ${name}: no client came`;
  const within = (share: number) => {
    const ms = times[Math.max(1, Math.ceil(came * share)) - 1];
    return ms === undefined ? "never" : `within ${formatTime(ms)}`;
  };
  const counted = `${formatNumber(times.length)} of ${formatNumber(came)}`;
  return `  ${name}: ${counted}; half of them ${within(0.5)}, 99 % ${within(0.99)}`;
}

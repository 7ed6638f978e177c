import { ArgumentError } from "../errors";
import { formatNumber, formatTime } from "../trace";
import { axis, baseLayout, figure, plain, swatch, textWidth, words, type Figure, type Json } from "./figure";
import { spread } from "./labels";
import { sequence, theme } from "./palette";

export interface LatencySeries {
  name: string;
  /** ms; NaN: never connected */
  values: ArrayLike<number>;
  colour?: string;
}

export interface LatencyOptions {
  title?: string;
  /** logarithmic time axis; default: if the times span more than a factor of 30 */
  log?: boolean;
  /** moments to compare with, e.g. a round-trip time or the client's first resend: vertical lines, ms */
  marks?: readonly { label: string; value: number }[];
  /** most points of a line; default 400 */
  points?: number;
}

const plotHeight = 280;
const margin = { l: 74, t: 68, b: 60 } as const;

/** Which share of the clients was connected within a time? Those that never were keep their line below 100 %. */
export function latencies(series: ArrayLike<number> | readonly LatencySeries[], { title = "Time from SYN to connected", log, marks = [], points = 400 }: LatencyOptions = {}): Figure {
  const named = isNamed(series) ? series : [{ name: "clients", values: series }];
  if (named.length === 0) throw new ArgumentError("latencies() needs at least one series of times.");
  const curves = named.map(({ name, values, colour }, i) => ({ name, total: values.length, sorted: finite(values), colour: colour ?? sequence[i % sequence.length] }));
  const all = curves.flatMap(({ sorted }) => (sorted.length > 0 ? [sorted[0], sorted[sorted.length - 1]] : [])).filter((ms) => ms > 0);
  const [least, most] = all.length > 0 ? [Math.min(...all), Math.max(...all, ...marks.map(({ value }) => value))] : [1, 10];
  const logarithmic = log ?? most / least > 30;
  const shares = curves.map(({ sorted, total }) => (total > 0 ? (sorted.length / total) * 100 : 0));
  const heights = spread(shares.map((share) => (share / 105) * plotHeight), 20, 10, plotHeight - 10);
  const labels = curves.map(({ name, sorted, total, colour }) => `${swatch(colour)} ${plain(name)}: <b>${formatNumber(sorted.length)}</b> of ${formatNumber(total)}`);
  return figure({
    data: curves.map((curve) => curveTrace(curve, points, logarithmic ? least * 0.8 : 0)),
    layout: {
      ...baseLayout(plotHeight + margin.t + margin.b),
      margin: { ...margin, r: Math.round(Math.min(260, Math.max(...labels.map((label) => textWidth(label))) + 20)) },
      hovermode: "x unified",
      xaxis: axis("time (ms)", logarithmic ? { type: "log", range: [Math.log10(least * 0.8), Math.log10(most * 1.4)], dtick: most / least < 30 ? "D2" : 1, exponentformat: "none" } : { range: [0, most * 1.06], separatethousands: true }),
      yaxis: axis("connected (%)", { range: [0, 105], tickvals: [0, 25, 50, 75, 100] }),
      shapes: marks.map(({ value }) => ({ type: "line", xref: "x", x0: value, x1: value, yref: "paper", y0: 0, y1: 1, layer: "below", line: { color: theme.faint, width: 1.5, dash: "dot" } })),
      annotations: [
        words(`<b>${plain(title)}</b>`, 0, 1, { xshift: -margin.l + 10, yanchor: "bottom", yshift: 34, font: { size: 16, color: theme.text } }),
        ...labels.map((label, i) => words(label, 1, heights[i] / plotHeight, { xshift: 8 })),
        ...marks.map(({ label, value }, i) => words(plain(label), logarithmic ? Math.log10(value) : value, 1, { xref: "x", yanchor: "bottom", yshift: i % 2 === 0 ? 3 : 19 })),
      ],
    },
    text: [title, ...curves.map(curveInWords), ...marks.map(({ label, value }) => `  ${label}: ${formatTime(value)}`)].join("\n"),
  });
}

interface Curve {
  name: string;
  total: number;
  /** ms, ascending, of those that were connected */
  sorted: number[];
  colour: string;
}

function curveTrace({ name, total, sorted, colour }: Curve, points: number, left: number): Json {
  const step = Math.max(1, sorted.length / points);
  const ranks = [...new Set(Array.from({ length: Math.min(points, sorted.length) }, (_, i) => Math.floor(i * step)).concat(sorted.length > 0 ? [sorted.length - 1] : []))];
  return {
    type: "scatter", mode: "lines", name,
    x: [left, ...ranks.map((rank) => Number(sorted[rank].toPrecision(5)))],
    y: [0, ...ranks.map((rank) => Number((((rank + 1) / total) * 100).toFixed(2)))],
    line: { shape: "hv", width: 2.5, color: colour }, hovertemplate: "%{y:.1f} %",
  };
}

function curveInWords({ name, total, sorted }: Curve): string {
  const within = (share: number): string => formatTime(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN);
  return `  ${name}: ${formatNumber(sorted.length)} of ${formatNumber(total)} connected; of these half within ${within(0.5)}, 99 % within ${within(0.99)}, all within ${within(1)}`;
}

function finite(values: ArrayLike<number>): number[] {
  return Array.from(values).filter((ms) => Number.isFinite(ms)).sort((a, b) => a - b);
}

function isNamed(series: ArrayLike<number> | readonly LatencySeries[]): series is readonly LatencySeries[] {
  return series.length === 0 ? Array.isArray(series) : typeof series[0] === "object";
}

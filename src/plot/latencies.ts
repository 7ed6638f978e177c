import { formatNumber, formatTime } from "../wording/number";
import { baseLayout, type Figure } from "./figure";
import { seriesColours, seriesDashes } from "./palette";

export interface LatencySeries {
  name: string;
  /** ms, one for each client that came; NaN: never */
  values: ArrayLike<number>;
  colour?: string;
}

export interface LatenciesOptions {
  /** what the values are, with their unit; default "time to connect, ms" */
  title?: string;
}

const mostPoints = 400;

/** The share of clients, of all who came, for whom it was done within a time. Those for whom it never was keep the line below 100 %. */
export function latencies(
  series: readonly LatencySeries[],
  { title = "time to connect, ms" }: LatenciesOptions = {},
): Figure {
  const sorted = series.map(({ values }) =>
    Array.from(values)
      .filter((ms) => !Number.isNaN(ms))
      .sort((a, b) => a - b),
  );
  const all = sorted.flat();
  // the shortest and the longest of all: a line of nobody must lie somewhere
  const span =
    all.length > 0
      ? [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))].map(short)
      : [1, 1000];
  return {
    data: series.map(({ name, values, colour }, at) => {
      const step = Math.max(1, Math.ceil(sorted[at].length / mostPoints));
      const kept = sorted[at]
        .map((ms, rank) => ({ ms, rank }))
        .filter(({ rank }) => rank % step === 0 || rank === sorted[at].length - 1);
      const x = kept.map(({ ms }) => short(ms));
      const y = kept.map(({ rank }) => Number((((rank + 1) / values.length) * 100).toFixed(2)));
      return {
        type: "scatter",
        mode: "lines",
        name:
          sorted[at].length < values.length
            ? `${name}: ${formatNumber(sorted[at].length)} of ${formatNumber(values.length)}`
            : name,
        x: values.length === 0 ? [] : [x[0] ?? span[0], ...x, span[1]],
        y: values.length === 0 ? [] : [0, ...y, y[y.length - 1] ?? 0],
        line: {
          shape: "hv",
          width: 2.5,
          color: colour ?? seriesColours[at % seriesColours.length],
          dash: seriesDashes[at % seriesDashes.length],
        },
      };
    }),
    layout: {
      ...baseLayout(380),
      xaxis: {
        title: { text: title },
        type: "log",
        ...(span[0] > 0 && { range: [Math.log10(span[0]) - 0.1, Math.log10(span[1]) + 0.1] }),
      },
      yaxis: { title: { text: "clients, % of all who came" }, range: [-1, 103], zeroline: false },
    },
    text: [
      `${title}; shares of all who came:`,
      ...series.map(({ name, values }, at) => {
        if (values.length === 0) return `  ${name}: nobody came`;
        const within = (share: number) => sorted[at][Math.max(1, Math.ceil(values.length * share)) - 1];
        const words = (share: number) =>
          within(share) === undefined ? "never" : `within ${formatTime(within(share))}`;
        return `  ${name}: ${formatNumber(sorted[at].length)} of ${formatNumber(values.length)}; half of them ${words(0.5)}, 99 % ${words(0.99)}`;
      }),
    ].join("\n"),
  };
}

/** Few digits in the file; no eye sees more. */
function short(ms: number): number {
  return Number(ms.toPrecision(4));
}

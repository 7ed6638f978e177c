import { formatNumber, formatTime } from "../trace";
import { baseLayout, type Figure } from "./figure";
import { palette } from "./palette";

export interface LatencySeries {
  name: string;
  /** ms; NaN: never connected */
  values: ArrayLike<number>;
  colour?: string;
}

const colours = [palette.acceptQueue, palette.synQueue, palette.accepted, palette.prediction];
const mostPoints = 400;

/** The share of clients that were connected within a time. Those that never were keep the line below 100 %. */
export function latencies(series: readonly LatencySeries[], { title = "time to connect, ms" } = {}): Figure {
  const lines = series.map(({ name, values, colour }, at) => {
    const sorted = Array.from(values).filter((ms) => !Number.isNaN(ms)).sort((a, b) => a - b);
    const step = Math.max(1, Math.ceil(sorted.length / mostPoints));
    const kept = sorted.map((ms, rank) => ({ ms, rank })).filter(({ rank }) => rank % step === 0 || rank === sorted.length - 1);
    return {
      sorted,
      trace: {
        type: "scatter", mode: "lines", name, x: kept.map(({ ms }) => Number(ms.toPrecision(4))), y: kept.map(({ rank }) => Number((((rank + 1) / values.length) * 100).toFixed(2))),
        line: { shape: "hv", width: 2.5, color: colour ?? colours[at % colours.length] },
      },
    };
  });
  return {
    data: lines.map(({ trace }) => trace),
    layout: { ...baseLayout(380), xaxis: { title: { text: title }, type: "log" }, yaxis: { title: { text: "clients, %" }, range: [0, 103], zeroline: false } },
    text: series.map(({ name, values }, at) => {
      const { sorted } = lines[at];
      const quantile = (share: number) => formatTime(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN);
      return `${name}: ${formatNumber(sorted.length)} of ${formatNumber(values.length)} connected; median ${quantile(0.5)}, 99 % within ${quantile(0.99)}`;
    }).join("\n"),
  };
}

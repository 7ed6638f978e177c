import { formatNumber } from "../wording/number";
import { textTable } from "../wording/text-table";
import { baseLayout, type Figure } from "./figure";
import { seriesColours } from "./palette";

export interface LineSeries {
  name: string;
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  colour?: string;
  /** default "solid"; "dash" for what was predicted or reckoned */
  dash?: "solid" | "dash" | "dot";
  /** a value holds until the next one */
  steps?: boolean;
  /** a point at each value */
  points?: boolean;
}

export interface LinesOptions {
  xTitle: string;
  yTitle: string;
  title?: string;
  /** logarithmic axes */
  xLog?: boolean;
  yLog?: boolean;
}

const textRows = 8;
const mostPoints = 1500;

/** Numbers over numbers. */
export function lines(
  series: readonly LineSeries[],
  { xTitle, yTitle, title, xLog = false, yLog = false }: LinesOptions,
): Figure {
  return {
    data: series.map(({ name, x, y, colour, dash = "solid", steps = false, points = false }, at) => {
      const stride = Math.max(1, Math.ceil(x.length / mostPoints));
      const kept = Array.from({ length: x.length }, (_, row) => row).filter(
        (row) => row % stride === 0 || row === x.length - 1,
      );
      return {
        type: "scatter",
        mode: points ? "lines+markers" : "lines",
        name,
        x: kept.map((row) => round(x[row])),
        y: kept.map((row) => round(y[row])),
        line: {
          color: colour ?? seriesColours[at % seriesColours.length],
          width: 2.5,
          dash,
          ...(steps && { shape: "hv" }),
        },
        ...(points && { marker: { size: 9 } }),
      };
    }),
    layout: {
      ...baseLayout(400),
      ...(title && { title: { text: title, font: { size: 16 } }, margin: { l: 70, r: 24, t: 84, b: 56 } }),
      xaxis: { title: { text: xTitle }, ...(xLog ? { type: "log" } : { rangemode: "tozero" }), zeroline: false },
      yaxis: { title: { text: yTitle }, ...(yLog ? { type: "log" } : { rangemode: "tozero" }), zeroline: false },
    },
    text: [
      ...(title ? [title] : []),
      `${yTitle} over ${xTitle}`,
      ...series.map(({ name, x, y }) => {
        const rows = Array.from({ length: Math.min(textRows, x.length) }, (_, row) =>
          Math.round((row * (x.length - 1)) / Math.max(1, Math.min(textRows, x.length) - 1)),
        );
        return `${name}\n${textTable(
          [
            { title: xTitle, align: "right" },
            { title: yTitle, align: "right" },
          ],
          rows.map((row) => [formatNumber(x[row]), formatNumber(y[row])]),
        )}`;
      }),
    ].join("\n"),
  };
}

/** Few digits in the file; no eye sees more. */
function round(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : value;
}

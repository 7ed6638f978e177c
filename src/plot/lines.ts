import type { LayoutAxis, PlotData } from "plotly.js";
import { formatNumber } from "../wording/number";
import { textTable } from "../wording/text-table";
import { baseLayout, significant, type Figure } from "./figure";
import { seriesColour } from "./palette";

/** One line of {@link lines}: `x[i]` belongs to `y[i]`. */
export interface LineSeries {
  /** what the legend calls it */
  name: string;
  /** horizontal values; x[i] belongs to y[i] */
  x: ArrayLike<number>;
  /** vertical values */
  y: ArrayLike<number>;
  /** CSS colour; default: one after the other */
  colour?: string;
  /** default "solid"; "dash" for what was predicted or computed */
  dash?: "solid" | "dash" | "dot";
  /** a value holds until the next one; default false */
  steps?: boolean;
  /** a point at each value; default false */
  points?: boolean;
}

/** How {@link lines} draws. */
export interface LinesOptions {
  /** what x is, with its unit */
  xTitle: string;
  /** what y is, with its unit */
  yTitle: string;
  /** above the picture; default none */
  title?: string;
  /** logarithmic x axis; default false */
  xLog?: boolean;
  /** logarithmic y axis; default false */
  yLog?: boolean;
}

const textRows = 8;
const mostPoints = 1500;
const digits = 6;

/**
 * How does one number follow from another? Lines over numbers; more than 1,500 points are thinned, the first and the
 * last stay.
 */
export function lines(series: readonly LineSeries[], options: LinesOptions): Figure {
  const { xTitle, yTitle, title, xLog = false, yLog = false } = options;
  return {
    data: series.map(lineOf),
    layout: {
      ...baseLayout(400),
      ...(title && { title: { text: title, font: { size: 16 } }, margin: { l: 70, r: 24, t: 84, b: 56 } }),
      xaxis: axis(xTitle, xLog),
      yaxis: axis(yTitle, yLog),
    },
    text: [
      ...(title ? [title] : []),
      `${yTitle} over ${xTitle}`,
      ...series.map((each) => `${each.name}\n${tableOf(each, options)}`),
    ].join("\n"),
  };
}

function axis(title: string, log: boolean): Partial<LayoutAxis> {
  return { title: { text: title }, ...(log ? { type: "log" } : { rangemode: "tozero" }), zeroline: false };
}

function lineOf(series: LineSeries, at: number): Partial<PlotData> {
  const { name, x, y, colour, dash = "solid", steps = false, points = false } = series;
  const stride = Math.max(1, Math.ceil(x.length / mostPoints));
  const thinned = (values: ArrayLike<number>) =>
    Array.from(values)
      .slice(0, x.length)
      .filter((_, row) => row % stride === 0 || row === x.length - 1)
      .map((value) => significant(value, digits));
  return {
    type: "scatter",
    mode: points ? "lines+markers" : "lines",
    name,
    x: thinned(x),
    y: thinned(y),
    line: { color: colour ?? seriesColour(at), width: 2.5, dash, ...(steps && { shape: "hv" }) },
    ...(points && { marker: { size: 9 } }),
  };
}

/** Eight rows, evenly chosen, with the first and the last. */
function tableOf({ x, y }: LineSeries, { xTitle, yTitle }: LinesOptions): string {
  const count = Math.min(textRows, x.length);
  const rows = Array.from({ length: count }, (_, row) => Math.round((row * (x.length - 1)) / Math.max(1, count - 1)));
  return textTable(
    [
      { title: xTitle, align: "right" },
      { title: yTitle, align: "right" },
    ],
    rows.map((row) => [formatNumber(x[row] ?? NaN), formatNumber(y[row] ?? NaN)]),
  );
}

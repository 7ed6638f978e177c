import type { LayoutAxis } from "plotly.js";
import { formatNumber } from "../wording/number";
import { textTable } from "../wording/text-table";
import { baseLayout, type Figure } from "./figure";
import { palette, seriesColour } from "./palette";

/** One series of {@link bars}: a bar for each label. */
export interface BarSeries {
  /** what the legend calls it */
  name: string;
  /** one number for each label, in the labels' order; what is missing is drawn as nothing and written as a dash */
  values: readonly number[];
  /** CSS colour; default: the prediction's colour for the first series, then one after the other */
  colour?: string;
}

/** How {@link bars} draws. */
export interface BarOptions {
  /** what the numbers are, with their unit; default none */
  yTitle?: string;
  /** what the labels are; default none */
  xTitle?: string;
  /** logarithmic y axis; a bar of 0 or less has no height there, its number still stands; default false */
  log?: boolean;
}

/** below the smallest count, so that a count of 1 has a height on a logarithmic axis */
const logFloor = 0.5;

/**
 * Which is more, and by how much? Numbers side by side: a group for each label, a bar for each series, its number above it.
 * @param labels of the groups, from left to right
 */
export function bars(
  labels: readonly string[],
  series: readonly BarSeries[],
  { yTitle = "", xTitle = "", log = false }: BarOptions = {},
): Figure {
  return {
    data: series.map(({ name, values, colour }, at) => ({
      type: "bar",
      name,
      x: [...labels],
      y: values.map((value) => (log ? Math.max(value, logFloor) : value)),
      text: values.map((value) => formatNumber(value)),
      textposition: "outside",
      cliponaxis: false,
      marker: { color: colour ?? (at === 0 ? palette.prediction : seriesColour(at - 1)) },
      hovertemplate: "%{x}: %{text}",
    })),
    layout: {
      ...baseLayout(400),
      barmode: "group",
      hovermode: "closest",
      xaxis: { title: { text: xTitle }, type: "category" },
      yaxis: {
        title: { text: yTitle },
        ...(log ? logAxis(series) : { rangemode: "tozero" }),
        zeroline: false,
      },
    },
    text: textTable(
      [{ title: "", align: "left" }, ...series.map(({ name }) => ({ title: name, align: "right" as const }))],
      labels.map((label, at) => [label, ...series.map(({ values }) => formatNumber(values[at] ?? NaN))]),
    ),
  };
}

/** From below the smallest count to a little above the highest bar, for its number. */
function logAxis(series: readonly BarSeries[]): Partial<LayoutAxis> {
  const highest = Math.max(1, ...series.flatMap(({ values }) => values));
  return { type: "log", dtick: 1, range: [Math.log10(logFloor), Math.log10(highest) + 0.4] };
}

import { formatNumber } from "../wording/number";
import { textTable } from "../wording/text-table";
import { baseLayout, type Figure } from "./figure";
import { palette, seriesColours } from "./palette";

export interface BarSeries {
  name: string;
  values: readonly number[];
  colour?: string;
}

export interface BarOptions {
  yTitle?: string;
  xTitle?: string;
  /** logarithmic axis; bars of 0 and less have no height there, their number still stands */
  log?: boolean;
}

const colours = [palette.prediction, ...seriesColours];

/** Numbers side by side: one group a label, one bar a series. */
export function bars(
  labels: readonly string[],
  series: readonly BarSeries[],
  { yTitle = "", xTitle = "", log = false }: BarOptions = {},
): Figure {
  return {
    data: series.map(({ name, values, colour }, at) => ({
      type: "bar",
      name,
      x: labels,
      y: log ? values.map((value) => Math.max(value, 0.5)) : values,
      text: values.map((value) => formatNumber(value)),
      textposition: "outside",
      cliponaxis: false,
      marker: { color: colour ?? colours[at % colours.length] },
      hovertemplate: "%{x}: %{text}",
    })),
    layout: {
      ...baseLayout(400),
      barmode: "group",
      hovermode: "closest",
      xaxis: { title: { text: xTitle }, type: "category" },
      yaxis: {
        title: { text: yTitle },
        ...(log
          ? {
              type: "log",
              dtick: 1,
              range: [Math.log10(0.5), Math.log10(Math.max(1, ...series.flatMap(({ values }) => values))) + 0.4],
            }
          : { rangemode: "tozero" }),
        zeroline: false,
      },
    },
    text: textTable(
      [{ title: "", align: "left" }, ...series.map(({ name }) => ({ title: name, align: "right" as const }))],
      labels.map((label, at) => [label, ...series.map(({ values }) => formatNumber(values[at]))]),
    ),
  };
}

import type { PlotData } from "plotly.js";
import { formatNumber } from "../wording/number";
import { textTable } from "../wording/text-table";
import { baseLayout, type Figure } from "./figure";

/** How {@link heatMap} draws. */
export interface HeatMapOptions {
  /** what varies from left to right */
  xTitle: string;
  /** what varies from below to above */
  yTitle: string;
  /** what the numbers are: "SYN queue, requests" */
  unit: string;
  /** above the picture; default none */
  title?: string;
  /** colours by the logarithm; default true */
  log?: boolean;
}

/** From paper to the colour of the SYN queue, light enough for dark numbers. */
const scale: [number, string][] = [
  [0, "#FFF6E0"],
  [0.6, "#F7CF7A"],
  [1, "#DE8F00"],
];

/**
 * How does a number depend on two settings? Fields in darker colours for larger numbers; each number stands in its field.
 * @param xs the values of the one setting, a column each
 * @param ys the values of the other, a row each
 * @param values `values[row][column]` belongs to `ys[row]` and `xs[column]`
 */
export function heatMap(
  xs: readonly (string | number)[],
  ys: readonly (string | number)[],
  values: readonly (readonly number[])[],
  { xTitle, yTitle, unit, title, log = true }: HeatMapOptions,
): Figure {
  const shade = (value: number) => (log ? Math.log10(Math.max(value, 0) + 1) : value);
  const shades = values.map((row) => row.map(shade));
  const words = values.map((row) => row.map((value) => formatNumber(value)));
  const columns = labelsOf(xs);
  const rows = labelsOf(ys);
  return {
    data: [
      {
        type: "heatmap",
        x: columns,
        y: rows,
        z: shades,
        zmin: Math.min(...shades.flat()),
        zmax: Math.max(...shades.flat()),
        colorscale: scale,
        showscale: false,
        xgap: 2,
        ygap: 2,
        // one text for each field, in rows as z has them: plotly's types know lists only
        text: words as unknown as PlotData["text"],
        texttemplate: "%{text}",
        textfont: { size: 15, color: "#1a1a1a" },
        hovertemplate: `${xTitle} %{x}<br>${yTitle} %{y}<br>${unit}: %{text}<extra></extra>`,
      },
    ],
    layout: {
      ...baseLayout(130 + 46 * ys.length),
      margin: { l: 120, r: 24, t: title ? 56 : 24, b: 60 },
      hovermode: "closest",
      ...(title && { title: { text: title, font: { size: 16 } } }),
      xaxis: { title: { text: xTitle }, type: "category", showgrid: false },
      yaxis: { title: { text: yTitle, standoff: 14 }, type: "category", showgrid: false },
    },
    text: `${title ? `${title}\n` : ""}${unit}; across: ${xTitle}, down: ${yTitle}\n${textTable(
      [{ title: "", align: "right" }, ...columns.map((label) => ({ title: label, align: "right" as const }))],
      rows.map((label, row) => [label, ...(words[row] ?? [])]),
    )}`,
  };
}

function labelsOf(each: readonly (string | number)[]): string[] {
  return each.map((label) => (typeof label === "number" ? formatNumber(label) : label));
}

import { formatNumber } from "../wording/number";
import { textTable } from "../wording/text-table";
import { baseLayout, type Figure } from "./figure";

export interface HeatMapOptions {
  xTitle: string;
  yTitle: string;
  /** what the numbers are: "SYN queue, requests" */
  unit: string;
  title?: string;
  /** colours by the logarithm; default true */
  log?: boolean;
}

/** From paper to the colour of the SYN queue, light enough for dark numbers. */
const scale = [
  [0, "#FFF6E0"],
  [0.6, "#F7CF7A"],
  [1, "#DE8F00"],
];

/** Numbers over two settings; each stands in its field. `values[row][column]` belongs to `ys[row]` and `xs[column]`. */
export function heatMap(
  xs: readonly (string | number)[],
  ys: readonly (string | number)[],
  values: readonly (readonly number[])[],
  { xTitle, yTitle, unit, title, log = true }: HeatMapOptions,
): Figure {
  const colour = (value: number) => (log ? Math.log10(Math.max(value, 0) + 1) : value);
  const all = values.flat().map(colour);
  const labels = (each: readonly (string | number)[]) =>
    each.map((label) => (typeof label === "number" ? formatNumber(label) : label));
  return {
    data: [
      {
        type: "heatmap",
        x: labels(xs),
        y: labels(ys),
        z: values.map((row) => row.map(colour)),
        zmin: Math.min(...all),
        zmax: Math.max(...all),
        colorscale: scale,
        showscale: false,
        xgap: 2,
        ygap: 2,
        text: values.map((row) => row.map((value) => formatNumber(value))),
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
      [{ title: "", align: "right" }, ...labels(xs).map((label) => ({ title: label, align: "right" as const }))],
      labels(ys).map((label, row) => [label, ...values[row].map((value) => formatNumber(value))]),
    )}`,
  };
}

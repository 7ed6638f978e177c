import { ArgumentError } from "../errors";
import { formatNumber, textTable } from "../trace";
import { axis, baseLayout, figure, plain, smallFontSize, type Figure } from "./figure";
import { sequence, theme } from "./palette";

export interface BarSeries {
  name: string;
  /** one a label; NaN: none */
  values: readonly number[];
  colour?: string;
  /** hatched: what somebody said beforehand, beside what was measured */
  predicted?: boolean;
}

export interface BarOptions {
  title?: string;
  xTitle?: string;
  yTitle?: string;
  /** logarithmic axis; bars of 0 and less have no height there, their number still stands */
  log?: boolean;
}

const height = 400;
/** the foot of a logarithmic axis: half a connection, so that 1 has a height */
const foot = 0.5;

/** Numbers side by side: a group for each label, in it a bar for each series, each with its number. */
export function bars(labels: readonly string[], series: readonly BarSeries[], { title, xTitle = "", yTitle = "", log = false }: BarOptions = {}): Figure {
  for (const { name, values } of series) {
    if (values.length !== labels.length) throw new ArgumentError(`bars(): the series "${name}" has ${values.length} values for ${labels.length} labels.`);
  }
  const numbers = series.flatMap(({ values }) => values).filter(Number.isFinite);
  const most = Math.max(1, ...numbers);
  const measured = series.filter(({ predicted }) => !predicted);
  const range = log ? [Math.log10(foot), Math.log10(most) + 0.45] : [Math.min(0, ...numbers) * 1.1, most * 1.14];
  return figure({
    data: series.map(({ name, values, colour, predicted }) => {
      const fill = colour ?? (predicted ? theme.faint : sequence[measured.findIndex((other) => other.name === name) % sequence.length]);
      return {
        type: "bar", name: plain(name), x: labels.map(plain),
        y: values.map((value) => (log ? Math.max(value, foot) : value)),
        text: values.map((value) => formatNumber(value)), textposition: "outside", cliponaxis: false, textfont: { size: smallFontSize, color: theme.text },
        marker: predicted ? { color: theme.panel, line: { color: fill, width: 2 }, pattern: { shape: "/", fgcolor: fill, bgcolor: theme.paper, size: 7, solidity: 0.25 } } : { color: fill },
        hovertemplate: "%{x}: %{text}",
      };
    }),
    layout: {
      ...baseLayout(height),
      barmode: "group", bargap: 0.25, bargroupgap: 0.06, hovermode: "closest",
      margin: { l: 74, r: 24, t: title ? 88 : 52, b: xTitle ? 64 : 44 },
      ...(title && { title: { text: `<b>${plain(title)}</b>`, x: 0, xref: "container", xanchor: "left", pad: { l: 10 }, y: 0.97, yanchor: "top", font: { size: 16 } } }),
      showlegend: series.length > 1,
      legend: { orientation: "h", x: 0, y: 1.03, yanchor: "bottom", font: { size: smallFontSize } },
      xaxis: axis(xTitle, { type: "category", showgrid: false }),
      yaxis: axis(yTitle, { range, separatethousands: true, ...(log && { type: "log", dtick: 1, exponentformat: "none" }) }),
    },
    text: [
      ...(title ? [title] : []),
      textTable(
        [{ title: xTitle, align: "left" }, ...series.map(({ name }) => ({ title: name, align: "right" as const }))],
        labels.map((label, at) => [label, ...series.map(({ values }) => formatNumber(values[at]))]),
      ),
    ].join("\n"),
  });
}

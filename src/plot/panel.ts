import { formatTime, type Trace } from "../trace";
import { eventMarks, eventsInWords, laneHeight } from "./event-marks";
import { axis, baseLayout, figure, plain, swatch, textWidth, words, type Figure, type Json } from "./figure";
import { spread } from "./labels";
import { theme } from "./palette";
import type { TimeAxis } from "./time-axis";
import { circumstances } from "./words";

/** A horizontal line that has a name. */
export interface Level {
  readonly value: number;
  readonly label: string;
  /** where the label stands: at the end of the axis that its kind has everywhere */
  readonly end: "left" | "right";
  readonly side: "above" | "below";
  readonly colour?: string;
  readonly dash: "dash" | "dot" | "longdash";
  /** px; default 2 */
  readonly width?: number;
  /** the line itself is among the panel's traces already */
  readonly drawn?: boolean;
}

/** The name of a line or an area, beside its right end. */
export interface EndLabel {
  readonly name: string;
  readonly colour: string;
  /** the value it ends with, where the label belongs */
  readonly at: number;
  readonly value: string;
}

/** One plot among those that share a time axis. */
export interface Panel {
  /** of the y axis */
  readonly title: string;
  /** px of the plot itself */
  readonly height: number;
  /** plotly traces without their axes */
  readonly data: readonly Json[];
  /** the greatest value that must be seen */
  readonly top: number;
  readonly ends: readonly EndLabel[];
  readonly levels?: readonly Level[];
  /** said in the middle of a panel that has nothing to draw, or at its top */
  readonly note?: string;
}

const margin = { left: 74, bottom: 58, top: 46 } as const;
const gap = 20;
const lineHeight = 20;

/**
 * Panels below one another over one time axis, with the trace's events through all of them.
 * @param lines the same in words; title, circumstances and events are added
 */
export function compose(trace: Trace, title: string, panels: readonly Panel[], time: TimeAxis, lines: readonly string[]): Figure {
  const marks = eventMarks(trace, time);
  const plotHeight = panels.reduce((sum, { height }) => sum + height, gap * (panels.length - 1));
  const labelWidths = panels.flatMap(({ ends }) => ends.map((label) => textWidth(endText(label)) + 12));
  const room = { l: margin.left, r: Math.round(Math.min(250, Math.max(24, ...labelWidths))), t: margin.top + marks.lanes * laneHeight, b: margin.bottom };
  const layout: Json = {
    ...baseLayout(plotHeight + room.t + room.b),
    margin: room,
    hovermode: "x unified",
    // zooming survives new data
    uirevision: "same",
  };
  const data: Json[] = [];
  const shapes: Json[] = [...marks.shapes];
  const annotations: Json[] = [
    words(`<b>${plain(title)}</b>  <span style="color:${theme.faint}">${plain(circumstances(trace))}</span>`, 0, 1, { xshift: -margin.left + 10, yanchor: "bottom", yshift: marks.lanes * laneHeight + 12, font: { size: 16, color: theme.text } }),
    ...marks.annotations,
  ];
  let above = 0;
  panels.forEach((panel, i) => {
    const n = i === 0 ? "" : String(i + 1);
    const bottom = (plotHeight - above - panel.height) / plotHeight;
    const ceiling = panel.top > 0 ? panel.top * (1 + 30 / panel.height) : 1;
    const paper = (px: number): number => Number((bottom + px / plotHeight).toFixed(5));
    const px = (value: number): number => (value / ceiling) * panel.height;
    layout[`yaxis${n}`] = axis(panel.title, { domain: [paper(0), paper(panel.height)], range: [0, ceiling], nticks: Math.max(3, Math.round(panel.height / 45)), separatethousands: true, anchor: "x", ...(panel.top <= 0 && { showticklabels: false }) });
    // an axis that carries nothing is not drawn
    const drawn = panel.data.length > 0 ? panel.data : [{ type: "scatter", mode: "lines", x: [time(trace.start), time(trace.end)], y: [0, 0], hoverinfo: "skip", line: { color: theme.grid, width: 1 } }];
    data.push(...drawn.map((trace) => ({ ...trace, xaxis: "x", yaxis: `y${n}` })));
    if (i === 0) data.push(...marks.markers(ceiling).map((trace) => ({ ...trace, xaxis: "x", yaxis: "y" })));
    const heights = spread(panel.ends.map(({ at }) => px(at)), lineHeight, lineHeight / 2, panel.height - lineHeight / 2);
    panel.ends.forEach((label, j) => annotations.push(words(endText(label), 1, paper(heights[j]), { xshift: 8 })));
    drawLevels(panel.levels ?? [], px, paper, `y${n}`, shapes, annotations);
    if (panel.note !== undefined) annotations.push(words(plain(panel.note), 0.5, paper(panel.height / 2), { xanchor: "center", bgcolor: theme.halo, font: { size: 15, color: theme.faint } }));
    above += panel.height + gap;
  });
  layout.xaxis = { ...time.layout, anchor: panels.length > 1 ? `y${panels.length}` : "y" };
  const text = [`${title} over ${formatTime(trace.duration)}: ${circumstances(trace)}`, ...lines, ...eventsInWords(trace)].join("\n");
  return figure({ data, layout: { ...layout, shapes, annotations }, text });
}

function endText({ name, colour, value }: EndLabel): string {
  return `${swatch(colour)} ${plain(name)} <b>${value}</b>`;
}

/** Lines across the panel. Labels at one end and on one side of their lines keep a line's height between them. */
function drawLevels(levels: readonly Level[], px: (value: number) => number, paper: (px: number) => number, yref: string, shapes: Json[], annotations: Json[]): void {
  for (const { value, colour = theme.text, dash, width = 2, drawn } of levels) {
    if (!drawn) shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, yref, y0: value, y1: value, line: { color: colour, width, dash } });
  }
  for (const end of ["left", "right"] as const) {
    for (const side of ["above", "below"] as const) {
      const here = levels.filter((level) => level.end === end && level.side === side);
      const offset = side === "above" ? lineHeight / 2 + 1 : -lineHeight / 2 - 1;
      const heights = spread(here.map(({ value }) => px(value) + offset), lineHeight, -Infinity, Infinity);
      here.forEach((level, i) =>
        annotations.push(words(plain(level.label), end === "left" ? 0 : 1, paper(heights[i]), { xanchor: end, xshift: end === "left" ? 6 : -6, bgcolor: theme.halo, borderpad: 1 })),
      );
    }
  }
}

/** The parts that pictures of recordings are made of: step lines, limits, predictions, events, the caption. */
import type { Annotations, PlotData, Shape } from "plotly.js";
import type { Trace } from "../trace";
import { decimate } from "./decimate";
import { seconds } from "./figure";
import { palette, type Dash } from "./palette";

/** A number that the reader has committed to; figures draw it in. */
export interface Prediction {
  /** what was asked */
  readonly question: string;
  /** the reader's answer, in the figure's unit */
  readonly value: number;
}

/** Where a line stands in a picture of several panels, and how finely it is drawn. */
export interface Placement {
  /** plotly's name of the x axis; default "x" */
  xaxis?: PlotData["xaxis"];
  /** plotly's name of the y axis; default "y" */
  yaxis?: PlotData["yaxis"];
  /** most points of the line, about; default 1200 */
  points?: number;
}

/** How {@link stepLine} draws. */
export interface StepLineOptions extends Placement {
  /** what the legend calls it */
  name: string;
  /** `#RRGGBB` */
  colour: string;
  /** the area below is filled; default false */
  fill?: boolean;
  /** lines of the same group stand on one another, filled; default none */
  stackgroup?: string;
  /** in pixels; default 2.5 */
  width?: number;
  /** default "solid" */
  dash?: Dash;
  /** time of the Trace that is 0 on the axis, ms; default 0 */
  origin?: number;
}

/** One column of a trace as a step line over seconds: a value holds until the next one. No peak is lost in thinning. */
export function stepLine(trace: Trace, column: string, options: StepLineOptions): Partial<PlotData> {
  const { name, colour, stackgroup, width = 2.5, dash, fill, xaxis, yaxis, origin = 0 } = options;
  const { time, values } = trace.column(column);
  const { x, y } = decimate(time, values, trace.end, options.points);
  return {
    type: "scatter",
    mode: "lines",
    name,
    x: x.map((ms) => seconds(ms - origin)),
    y,
    line: { shape: "hv", color: colour, width: stackgroup ? 0.5 : width, ...(dash && { dash }) },
    ...(fill && { fill: "tozeroy", fillcolor: `${colour}4d` }),
    ...(stackgroup && { stackgroup, fillcolor: `${colour}cc` }),
    ...(yaxis && { yaxis }),
    ...(xaxis && { xaxis }),
  };
}

/** A horizontal line across the picture with its name. */
export interface Level {
  /** the line, for Plotly's layout.shapes */
  readonly shape: Partial<Shape>;
  /** its name, for Plotly's layout.annotations */
  readonly label: Partial<Annotations>;
  /** its height, in the figure's unit */
  readonly value: number;
}

/** How {@link level} draws. */
export interface LevelOptions {
  /** `#RRGGBB` */
  colour: string;
  /** default "solid" */
  dash?: Dash;
  /** something is drawn at the same height: the line's dashes lie on it; default false */
  covered?: boolean;
}

/** A horizontal line with its name at the right end, above it. @param value its height, in the figure's unit */
export function level(value: number, label: string, { colour, dash = "solid", covered = false }: LevelOptions): Level {
  return {
    value,
    shape: {
      type: "line",
      xref: "paper",
      x0: 0,
      x1: 1,
      yref: "y",
      y0: value,
      y1: value,
      // plotly takes lengths of dashes as well, which its types do not know
      line: { color: colour, width: covered ? 3 : 2, dash: covered ? ("6px,18px" as Dash) : dash },
      layer: covered ? "above" : "below",
    },
    label: {
      xref: "paper",
      x: 1,
      xanchor: "right",
      yref: "y",
      y: value,
      yanchor: "bottom",
      text: label,
      showarrow: false,
      font: { color: colour, size: 14 },
    },
  };
}

/** A recording's events in a picture. */
export interface EventLines {
  /** a vertical line for each event, for Plotly's layout.shapes */
  readonly shapes: Partial<Shape>[];
  /** a number over each line, for Plotly's layout.annotations */
  readonly annotations: Partial<Annotations>[];
  /** "① burst: 200 clients   ② drain" */
  readonly caption: string;
}

const mostEvents = 12;

/**
 * Events as thin vertical lines with numbered heads; the names are in the caption line, so that they cannot collide.
 * The first 12.
 */
export function eventLines(trace: Trace): EventLines {
  const near = (trace.end - trace.start) / 40;
  let depth = 0;
  let before: number | undefined;
  const shown = trace.events.slice(0, mostEvents).map((event, at) => {
    // a number that would lie on its neighbour steps down
    depth = before !== undefined && event.time - before < near ? (depth + 1) % 4 : 0;
    before = event.time;
    return { ...event, mark: circled(at), depth };
  });
  return {
    shapes: shown.map(({ time }) => ({
      type: "line",
      xref: "x",
      x0: seconds(time),
      x1: seconds(time),
      yref: "paper",
      y0: 0,
      y1: 1,
      line: { color: palette.other, width: 1.5, dash: "dot" },
    })),
    annotations: shown.map(({ time, mark, depth: steps }) => ({
      xref: "x",
      x: seconds(time),
      yref: "paper",
      y: 1,
      yanchor: "top",
      yshift: -18 * steps,
      xanchor: "left",
      text: mark,
      showarrow: false,
      font: { size: 16 },
    })),
    caption: shown.map(({ mark, name, detail }) => `${mark} ${name}${detail ? `: ${detail}` : ""}`).join("   "),
  };
}

/** ① for 0, ② for 1, … up to ⑳. */
function circled(at: number): string {
  return String.fromCodePoint(0x2460 + at);
}

/**
 * What the plots say below themselves: events, and the settings that decide.
 * @param events the caption of {@link eventLines}
 */
export function caption(trace: Trace, events: string): Partial<Annotations> {
  const settings = Object.entries(trace.meta.settings)
    .filter(([name]) => /somaxconn|syncookies/.test(name))
    .map(([name, value]) => `${name.slice(name.lastIndexOf(".") + 1)} ${value}`);
  const decided = [`listen(${trace.meta.listener.backlog})`, ...settings, `Linux ${trace.meta.kernel}`].join(" · ");
  return {
    xref: "paper",
    x: 0,
    xanchor: "left",
    yref: "paper",
    y: 0,
    yanchor: "top",
    yshift: -68,
    text: [events, decided].filter(Boolean).join("<br>"),
    showarrow: false,
    align: "left",
    font: { size: 13 },
  };
}

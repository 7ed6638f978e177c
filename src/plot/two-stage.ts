import type { Annotations, Frame, Layout, PlotData, Shape, Slider, UpdateMenu } from "plotly.js";
import type { Trace } from "../trace";
import { formatNumber } from "../wording/number";
import { baseLayout, seconds, type Figure } from "./figure";
import { chooseMoments, momentAt, type Moment } from "./moments";
import { palette } from "./palette";
import { queueDepth } from "./queue-depth";

/** How {@link twoStage} draws. */
export interface TwoStageOptions {
  /** pictures in the film; default 120 */
  frames?: number;
}

/** Where the three boxes stand, from above to below, in the picture's own unit. */
const rows = { syn: 3, accept: 2, application: 1 } as const;
/** half the height of a box */
const half = 0.25;
/** the most places that are drawn as single cells; more could not be told apart */
const mostCells = 160;

/** What the boxes are measured by. */
interface Scale {
  /** capacity of the accept queue, connections */
  readonly room: number;
  /** of the boxes, in connections */
  readonly width: number;
  /** accepted in the end: the application's box is full then */
  readonly accepted: number;
}

/**
 * How do connections move through the two queues? SYN queue, accept queue, accept(), application, driven by a
 * recording: a filled cell is a connection. Plays with a button, or is dragged with a slider; a still picture shows the
 * fullest moment.
 */
export function twoStage(trace: Trace, { frames: wanted = 120 }: TwoStageOptions = {}): Figure {
  const moments = chooseMoments(trace, wanted).map((time) => momentAt(trace, time));
  const room = trace.summary().get("acceptMax").last + 1;
  const scale: Scale = {
    room,
    width: Math.max(room, ...moments.map(({ syn, accept }) => Math.max(syn, accept))),
    accepted: Math.max(1, ...moments.map(({ accepted }) => accepted)),
  };
  // still pictures show the fullest moment; playing starts at the first one
  const fullest = moments.reduce((full, moment) =>
    moment.syn + moment.accept > full.syn + full.accept ? moment : full,
  );
  return {
    data: [...levelsOf(fullest, scale).map(bar), words(fullest, scale)],
    layout: {
      ...baseLayout(520),
      hovermode: false,
      barmode: "overlay",
      margin: { l: 24, r: 24, t: 30, b: 120 },
      xaxis: { range: [-scale.width * 0.005, scale.width * 1.005], visible: false, fixedrange: true },
      yaxis: { range: [0.6, 3.8], visible: false, fixedrange: true },
      ...boxes(scale),
      updatemenus: [playAndPause],
      sliders: [timeSlider(moments, fullest)],
    },
    frames: moments.map((moment, at): Partial<Frame> => ({
      name: String(at),
      data: [...levelsOf(moment, scale).map(({ value }) => ({ x: [value] })), { text: wordsAt(moment, scale) }],
      traces: [0, 1, 2, 3],
    })),
    text: `${queueDepth(trace).text}\n  (moving picture of ${moments.length} moments; accepted in the end: ${formatNumber(moments.at(-1)?.accepted ?? 0)})`,
  };
}

interface Filled {
  readonly row: number;
  /** in connections */
  readonly value: number;
  readonly colour: string;
}

/** How far each box is filled. */
function levelsOf({ syn, accept, accepted }: Moment, scale: Scale): Filled[] {
  return [
    { row: rows.syn, value: syn, colour: palette.synQueue },
    { row: rows.accept, value: accept, colour: palette.acceptQueue },
    { row: rows.application, value: (accepted / scale.accepted) * scale.width, colour: palette.accepted },
  ];
}

function bar({ row, value, colour }: Filled): Partial<PlotData> {
  return {
    type: "bar",
    orientation: "h",
    x: [value],
    y: [row],
    width: 0.5,
    marker: { color: colour },
    hoverinfo: "skip",
    showlegend: false,
  };
}

function words(moment: Moment, scale: Scale): Partial<PlotData> {
  const { width } = scale;
  return {
    type: "scatter",
    mode: "text",
    x: [width, width, width, width],
    y: [rows.syn + 0.36, rows.accept + 0.36, rows.application + 0.36, rows.syn + 0.62],
    text: wordsAt(moment, scale),
    textposition: "middle left",
    textfont: { size: 16 },
    hoverinfo: "skip",
    showlegend: false,
    cliponaxis: false,
  };
}

function wordsAt({ syn, accept, accepted, drops }: Moment, { room }: Scale): string[] {
  return [
    `${formatNumber(syn)} handshakes under way`,
    `${formatNumber(accept)} of ${formatNumber(room)} wait for accept()`,
    `${formatNumber(accepted)} accepted`,
    drops > 0 ? `${formatNumber(drops)} dropped at the door` : "",
  ];
}

/** The boxes with their cells, names, and the arrows between them. */
function boxes({ width }: Scale): Pick<Layout, "shapes" | "annotations"> {
  const box = (row: number): Partial<Shape> => ({
    type: "rect",
    x0: 0,
    x1: width,
    y0: row - half,
    y1: row + half,
    line: { color: palette.other, width: 2 },
  });
  const wall = (row: number, x: number): Partial<Shape> => ({
    type: "line",
    x0: x,
    x1: x,
    y0: row - half,
    y1: row + half,
    line: { color: "rgba(128,128,128,0.45)", width: 1 },
  });
  const walls = width > mostCells ? [] : Array.from({ length: width - 1 }, (_, at) => at + 1);
  return {
    shapes: [
      ...Object.values(rows).map(box),
      ...[rows.syn, rows.accept].flatMap((row) => walls.map((x) => wall(row, x))),
    ],
    annotations: [
      stageName(rows.syn, "SYN queue"),
      stageName(rows.accept, "accept queue"),
      stageName(rows.application, "application"),
      ...arrow(width / 2, rows.syn, rows.accept, "last ACK"),
      ...arrow(width / 2, rows.accept, rows.application, "accept()"),
    ],
  };
}

function stageName(row: number, name: string): Partial<Annotations> {
  return {
    x: 0,
    xanchor: "left",
    y: row + 0.27,
    yanchor: "bottom",
    text: `<b>${name}</b>`,
    showarrow: false,
    font: { size: 16 },
  };
}

/** From a box to the one below, with what makes a connection go there. */
function arrow(x: number, from: number, to: number, text: string): Partial<Annotations>[] {
  return [
    {
      x,
      y: to + 0.27,
      ax: x,
      ay: from - 0.27,
      xref: "x",
      yref: "y",
      axref: "x",
      ayref: "y",
      text: "",
      showarrow: true,
      arrowhead: 2,
      arrowsize: 1.2,
      arrowwidth: 2,
      arrowcolor: palette.other,
    },
    {
      x,
      y: (from + to) / 2,
      xanchor: "left",
      yanchor: "middle",
      xshift: 10,
      text,
      showarrow: false,
      font: { size: 15 },
    },
  ];
}

/** plotly's order to be still at once */
const atOnce = { frame: { duration: 0, redraw: false }, mode: "immediate", transition: { duration: 0 } } as const;

const playAndPause: Partial<UpdateMenu> = {
  type: "buttons",
  direction: "left",
  x: 0,
  y: -0.04,
  xanchor: "left",
  yanchor: "top",
  pad: { t: 8, r: 8 },
  showactive: false,
  buttons: [
    {
      label: "▶ play",
      method: "animate",
      args: [
        null,
        {
          frame: { duration: 70, redraw: false },
          transition: { duration: 60, easing: "linear" },
          fromcurrent: true,
          mode: "immediate",
        },
      ],
    },
    { label: "❚❚ pause", method: "animate", args: [[null], atOnce] },
  ],
};

function timeSlider(moments: readonly Moment[], shown: Moment): Partial<Slider> {
  return {
    active: moments.indexOf(shown),
    x: 0.2,
    len: 0.8,
    y: -0.04,
    yanchor: "top",
    pad: { t: 8 },
    currentvalue: { prefix: "time: ", suffix: " s", xanchor: "right", font: { size: 15 } },
    ticklen: 0,
    minorticklen: 0,
    font: { size: 1, color: "rgba(0,0,0,0)" },
    steps: moments.map(({ time }, at) => ({
      label: seconds(time).toFixed(3),
      method: "animate",
      args: [[String(at)], atOnce],
    })),
  };
}

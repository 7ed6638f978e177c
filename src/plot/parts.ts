/** The parts that time plots are made of: step lines, limits, predictions, events. */
import type { Trace } from "../trace";
import { decimate } from "./decimate";
import { seconds } from "./figure";
import { palette, type seriesDashes } from "./palette";

/** A number that the reader has committed to; figures draw it in. */
export interface Prediction {
  readonly question: string;
  readonly value: number;
}

export interface LineOptions {
  name: string;
  colour: string;
  yaxis?: string;
  xaxis?: string;
  fill?: boolean;
  stackgroup?: string;
  width?: number;
  /** default "solid" */
  dash?: (typeof seriesDashes)[number];
  /** most points of the line, about */
  points?: number;
}

/** One column of a trace as a step line. */
export function stepLine(trace: Trace, column: string, options: LineOptions): Record<string, unknown> {
  const { time, values } = trace.column(column);
  const { x, y } = decimate(time, values, trace.end, options.points);
  return {
    type: "scatter",
    mode: "lines",
    name: options.name,
    x: x.map(seconds),
    y,
    line: {
      shape: "hv",
      color: options.colour,
      width: options.stackgroup ? 0.5 : (options.width ?? 2.5),
      ...(options.dash && { dash: options.dash }),
    },
    ...(options.fill && { fill: "tozeroy", fillcolor: `${options.colour}4d` }),
    ...(options.stackgroup && { stackgroup: options.stackgroup, fillcolor: `${options.colour}cc` }),
    ...(options.yaxis && { yaxis: options.yaxis }),
    ...(options.xaxis && { xaxis: options.xaxis }),
  };
}

interface Drawn {
  shapes: Record<string, unknown>[];
  annotations: Record<string, unknown>[];
}

/** A horizontal line with its name at the right end, above it. @param covered something is drawn at the same height: the line's dashes lie on it */
export function level(value: number, label: string, colour: string, dash: string, covered = false): Drawn {
  const yref = "y";
  return {
    shapes: [
      {
        type: "line",
        xref: "paper",
        x0: 0,
        x1: 1,
        yref,
        y0: value,
        y1: value,
        line: { color: colour, width: covered ? 3 : 2, dash: covered ? "6px,18px" : dash },
        layer: covered ? "above" : "below",
      },
    ],
    annotations: [
      {
        xref: "paper",
        x: 1,
        xanchor: "right",
        yref,
        y: value,
        yanchor: "bottom",
        text: label,
        showarrow: false,
        font: { color: colour, size: 14 },
      },
    ],
  };
}

/** Events as thin vertical lines with numbered heads; the names are in the caption line, so that they cannot collide. */
export function eventLines(trace: Trace): Drawn & { caption: string } {
  const shown = trace.events.slice(0, 12);
  // a number that would lie on its neighbour steps down
  const near = (trace.end - trace.start) / 40;
  const depth: number[] = [];
  shown.forEach(({ time }, at) => depth.push(at > 0 && time - shown[at - 1].time < near ? (depth[at - 1] + 1) % 4 : 0));
  const caption = shown
    .map((event, at) => `${circled(at)} ${event.name}${event.detail ? `: ${event.detail}` : ""}`)
    .join("   ");
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
    annotations: shown.map(({ time }, at) => ({
      xref: "x",
      x: seconds(time),
      yref: "paper",
      y: 1,
      yanchor: "top",
      yshift: -18 * depth[at],
      xanchor: "left",
      text: circled(at),
      showarrow: false,
      font: { size: 16 },
    })),
    caption,
  };
}

function circled(at: number): string {
  return String.fromCodePoint(0x2460 + at);
}

/** What the plots say below themselves: events and the settings that decide. */
export function caption(trace: Trace, events: string): Record<string, unknown> {
  const settings = Object.entries(trace.meta.settings)
    .filter(([name]) => /somaxconn|syncookies/.test(name))
    .map(([name, value]) => `${name.split(".").pop()} ${value}`);
  const text = [
    events,
    [`listen(${trace.meta.listener.backlog})`, ...settings, `Linux ${trace.meta.kernel}`].join(" · "),
  ]
    .filter(Boolean)
    .join("<br>");
  return {
    xref: "paper",
    x: 0,
    xanchor: "left",
    yref: "paper",
    y: 0,
    yanchor: "top",
    yshift: -68,
    text,
    showarrow: false,
    align: "left",
    font: { size: 13 },
  };
}

export function largest(trace: Trace, column: string): number {
  return trace.summary().get(column).max;
}

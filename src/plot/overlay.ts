import type { Trace } from "../trace";
import { ArgumentError } from "../errors";
import { formatNumber, formatTime } from "../wording/number";
import { textTable } from "../wording/text-table";
import { baseLayout, countAxis, timeAxis, type Figure } from "./figure";
import { palette, seriesColour, seriesDash } from "./palette";
import { level, type Prediction, stepLine } from "./parts";

/** One line of {@link overlay}. */
export interface OverlaySeries {
  /** what the legend calls it: "Linux 6.1.176" */
  name: string;
  /** the recording that it is taken from */
  trace: Trace;
}

/** How {@link overlay} draws. */
export interface OverlayOptions {
  /** the column of each trace: "acceptQueue", "synQueue", "TcpExt.ListenDrops"; default "acceptQueue" */
  column?: string;
  /** what the column counts, for the vertical axis; default: the column's name */
  yTitle?: string;
  /** the name of an event with which time begins in each trace; default: the start of the recording */
  from?: string;
  /** what the reader has predicted, in the column's unit: dashed lines; default none */
  predictions?: readonly Prediction[];
  /** above the picture; default none */
  title?: string;
  /** of the picture, in pixels; default 420 */
  height?: number;
  /** most points of a line, about; default 1200 */
  points?: number;
}

/**
 * How does one number of several recordings differ? One step line for each recording, over the same seconds.
 * @throws ArgumentError a trace has no such column, or no event of the name `from`
 */
export function overlay(series: readonly OverlaySeries[], options: OverlayOptions = {}): Figure {
  const { column = "acceptQueue", yTitle = column, predictions = [], title, height = 420 } = options;
  const levels = predictions.map(({ value }) =>
    level(value, `your prediction: ${formatNumber(value)}`, { colour: palette.prediction, dash: "dash" }),
  );
  const shifted = series.map((each) => ({ ...each, origin: originOf(each, options.from) }));
  return {
    data: shifted.map(({ name, trace, origin }, at) =>
      stepLine(trace, column, { name, colour: seriesColour(at), dash: seriesDash(at), origin, points: options.points }),
    ),
    layout: {
      ...baseLayout(height),
      ...(title && { title: { text: title, font: { size: 16 } }, margin: { l: 70, r: 24, t: 84, b: 56 } }),
      // what came before the event is of interest too
      xaxis: { ...timeAxis, rangemode: "normal" },
      yaxis: countAxis(yTitle),
      shapes: levels.map(({ shape }) => shape),
      annotations: levels.map(({ label }) => label),
    },
    text: wordsFor(shifted, options),
  };
}

/** The moment of a trace with which time begins in the picture, ms. */
function originOf({ name, trace }: OverlaySeries, from: string | undefined): number {
  if (from === undefined) return trace.start;
  const event = trace.events.find((each) => each.name === from);
  if (event === undefined) {
    const there = [...new Set(trace.events.map((each) => each.name))].join(", ");
    throw new ArgumentError(`The trace of ${name} has no event "${from}".`, there && `It has: ${there}.`);
  }
  return event.time;
}

function wordsFor(series: readonly (OverlaySeries & { origin: number })[], options: OverlayOptions): string {
  const { column = "acceptQueue", title, from } = options;
  const rows = series.map(({ name, trace, origin }) => {
    const { max, timeOfMax, last } = trace.summary().get(column);
    return [name, formatNumber(max), formatTime(timeOfMax - origin), formatNumber(last)];
  });
  const table = textTable(
    [
      { title: "", align: "left" },
      { title: "most", align: "right" },
      { title: "at", align: "right" },
      { title: "at the end", align: "right" },
    ],
    rows,
  );
  return [
    title ?? `${column} of ${series.length} recordings${from === undefined ? "" : `, from the event "${from}" on`}`,
    table,
    ...(options.predictions ?? []).map(({ value }) => `your prediction: ${formatNumber(value)}`),
  ].join("\n");
}

import { formatTime, type Trace, type TraceEvent } from "../trace";
import { plain, smallFontSize, textWidth, words, type Json } from "./figure";
import { lanesFor, type Extent } from "./labels";
import { theme } from "./palette";
import type { TimeAxis } from "./time-axis";

export const laneHeight = 21;
const mostLanes = 3;
const mostLines = 60;
const longestLabel = 42;
/** px that a plot has at least between its axis and its right margin; labels that do not collide in it collide nowhere */
const narrowest = 560;

export interface EventMarks {
  /** rows of labels above the plot */
  lanes: number;
  shapes: Json[];
  /** their `y` is the top of the plot */
  annotations: Json[];
  /** markers at the top of the first panel: hovering tells the whole of an event */
  markers: (top: number) => Json[];
}

/** Events as dotted lines through all panels, labelled above the plot in as few rows as keep the labels apart. */
export function eventMarks(trace: Trace, time: TimeAxis): EventMarks {
  const runs = runsOf(trace.events);
  const px = (ms: number): number => ((ms - trace.start) / (trace.duration || 1)) * narrowest;
  const labels = runs.map((run) => {
    const text = labelOf(run);
    const width = textWidth(text) + 12;
    const at = px(run[0].time);
    const extent: Extent = at + width > narrowest && at > narrowest / 2 ? { from: at - width, to: at } : { from: at, to: at + width };
    return { text, at: run[0].time, extent, flipped: extent.from < at };
  });
  const lanes = lanesFor(labels.map(({ extent }) => extent), mostLanes);
  const shown = labels.map((label, i) => ({ ...label, lane: lanes[i] })).filter(({ lane }) => lane >= 0);
  return {
    lanes: Math.max(0, ...shown.map(({ lane }) => lane + 1)),
    shapes: thinned(trace.events, mostLines).map(({ time: at }) => ({
      type: "line", xref: "x", x0: time(at), x1: time(at), yref: "paper", y0: 0, y1: 1, layer: "below", line: { color: theme.faint, width: 1.5, dash: "dot" },
    })),
    annotations: shown.map(({ text, at, lane, flipped }) =>
      words(plain(text), time(at), 1, { xref: "x", xanchor: flipped ? "right" : "left", yanchor: "bottom", yshift: lane * laneHeight + 3, font: { size: smallFontSize, color: theme.text } }),
    ),
    markers: (top) =>
      trace.events.length === 0
        ? []
        : [{
            type: "scatter", mode: "markers", name: "event", x: trace.events.map((event) => time(event.time)), y: trace.events.map(() => top), cliponaxis: false,
            marker: { symbol: "triangle-down", size: 10, color: theme.text }, text: trace.events.map((event) => plain(`${wholeLabel(event)} (${formatTime(event.time)})`)), hovertemplate: "%{text}",
          }],
  };
}

/** Events in words, one a line. */
export function eventsInWords(trace: Trace): string[] {
  const runs = runsOf(trace.events);
  const lines = runs.slice(0, 12).map((run) => `  ${formatTime(run[0].time)}: ${run.length > 1 ? `${run[0].name}, ${run.length} times until ${formatTime(run[run.length - 1].time)}` : wholeLabel(run[0])}`);
  return runs.length > lines.length ? [...lines, `  … and ${runs.length - lines.length} more events`] : lines;
}

/** Neighbours of one name that are alike are one label: "accept ×129". */
function runsOf(events: readonly TraceEvent[]): TraceEvent[][] {
  const runs: TraceEvent[][] = [];
  for (const event of events) {
    const run = runs[runs.length - 1];
    if (run?.[0].name === event.name && run[0].detail === event.detail) run.push(event);
    else runs.push([event]);
  }
  return runs;
}

function labelOf(run: readonly TraceEvent[]): string {
  const whole = [...wholeLabel(run[0])];
  const short = whole.length > longestLabel ? `${whole.slice(0, longestLabel - 1).join("")}…` : whole.join("");
  return run.length > 1 ? `${short} ×${run.length}` : short;
}

function wholeLabel({ name, detail }: TraceEvent): string {
  return detail === undefined || detail === "" ? name : `${name}: ${detail}`;
}

function thinned<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]);
}

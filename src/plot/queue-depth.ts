import type { PlotData } from "plotly.js";
import type { Trace } from "../trace";
import { formatNumber, formatTime } from "../wording/number";
import { baseLayout, recordingMargin, timeAxis, type Figure } from "./figure";
import { palette } from "./palette";
import { caption, eventLines, level, stepLine, type Level, type Prediction } from "./parts";

/** How {@link queueDepth} draws. */
export interface QueueDepthOptions {
  /** what the reader has predicted, in connections: dashed lines; default none */
  predictions?: readonly Prediction[];
  /** of the picture, in pixels; default 420 */
  height?: number;
  /** above the picture; default none */
  title?: string;
  /** most points of a line, about; default 1200 */
  points?: number;
}

/** The column's smallest and largest values, and the moments at which it had them. */
type Extent = ReturnType<ReturnType<Trace["summary"]>["get"]>;

/** The queues of a recording, and their capacities. */
interface Queues {
  readonly accept: Extent;
  readonly syn: Extent;
  /** capacity of the accept queue: min(backlog, somaxconn) + 1 connections */
  readonly room: number;
  /** the capacity of the SYN queue, and what sets it */
  readonly bound: SynBound;
  /** the SYN queue came near enough to its capacity to draw it; several listeners have one each, and none is drawn */
  readonly boundShown: boolean;
  /** several listeners share the port: their queues are drawn as one, and the capacity of each is in the words */
  readonly sharing: { readonly listeners: number; readonly fullest: Extent; readonly places: number } | undefined;
}

interface SynBound {
  readonly room: number;
  readonly by: "backlog" | "tcp_max_syn_backlog";
}

function queuesOf(trace: Trace): Queues {
  const summary = trace.summary();
  const syn = summary.get("synQueue");
  const room = summary.get("acceptMax").last + 1;
  const bound = synBound(trace, room);
  const sharing = trace.findColumn("fullest") && {
    listeners: summary.get("listeners").max,
    fullest: summary.get("fullest"),
    places: summary.get("fullestMax").max + 1,
  };
  return {
    accept: summary.get("acceptQueue"),
    syn,
    room,
    bound,
    boundShown: !sharing && syn.max * 2 > bound.room,
    sharing,
  };
}

/** How long are the two queues, and what are their capacities? Step lines, connections over seconds. */
export function queueDepth(trace: Trace, options: QueueDepthOptions = {}): Figure {
  const { predictions = [], height = 420, title, points } = options;
  const queues = queuesOf(trace);
  const levels = [...capacities(queues), ...predictionLevels(predictions)];
  const events = eventLines(trace);
  const highest = Math.max(1, queues.accept.max, queues.syn.max, ...levels.map(({ value }) => value));
  return {
    data: queueLines(trace, queues, points),
    layout: {
      ...baseLayout(height),
      margin: { ...recordingMargin, ...(title && { t: 88 }) },
      ...(title && { title: { text: title, y: 0.98, yanchor: "top" } }),
      xaxis: timeAxis,
      yaxis: { title: { text: "connections", font: { size: 15 } }, range: [0, highest * 1.18], zeroline: false },
      shapes: [...levels.map(({ shape }) => shape), ...events.shapes],
      annotations: [...spreadLabels(levels), ...events.annotations, caption(trace, events.caption)],
    },
    text: wordsFor(trace, queues, predictions),
  };
}

function queueLines(trace: Trace, { sharing }: Queues, points: number | undefined): Partial<PlotData>[] {
  const fullest = { name: "accept queue of the fullest listener", colour: palette.limit, width: 1.5, points };
  const queue = (of: string) =>
    sharing ? `${of} queues of all ${formatNumber(sharing.listeners)} listeners` : `${of} queue`;
  return [
    stepLine(trace, "acceptQueue", { name: queue("accept"), colour: palette.acceptQueue, fill: true, points }),
    ...(sharing ? [stepLine(trace, "fullest", fullest)] : []),
    stepLine(trace, "synQueue", { name: queue("SYN"), colour: palette.synQueue, points }),
  ];
}

/** The capacities that can be drawn. One far above everything would flatten the picture: it is in the words only. */
function capacities({ accept, syn, room, bound, boundShown, sharing }: Queues): Level[] {
  const reached = (value: number) => [accept.max, syn.max].some((peak) => Math.abs(peak - value) <= 1);
  const line = (value: number, label: string) =>
    level(value, label, { colour: palette.limit, covered: reached(value) });
  const limit = sharing
    ? `room in the accept queues of ${formatNumber(sharing.listeners)} listeners: ${formatNumber(room)}`
    : `room in the accept queue: min(backlog, somaxconn) + 1 = ${formatNumber(room)}`;
  const shared = boundShown && bound.by === "backlog" ? "; the same bounds the SYN queue" : "";
  return [
    ...(room <= Math.max(accept.max, syn.max, 1) * 4 ? [line(room, `${limit}${shared}`)] : []),
    ...(boundShown && bound.by === "tcp_max_syn_backlog"
      ? [line(bound.room, `room in the SYN queue: ¾ tcp_max_syn_backlog + 1 = ${formatNumber(bound.room)}`)]
      : []),
  ];
}

function predictionLevels(predictions: readonly Prediction[]): Level[] {
  return predictions.map(({ value }) =>
    level(value, `your prediction: ${formatNumber(value)}`, { colour: palette.prediction, dash: "dash" }),
  );
}

/**
 * The labels of lines that may lie close to each other: the lowest label below its line, those between the outer ones
 * in the middle.
 */
function spreadLabels(levels: readonly Level[]): Level["label"][] {
  if (levels.length < 2) return levels.map(({ label }) => label);
  const ascending = [...levels].sort((a, b) => a.value - b.value);
  return levels.map((each) => {
    const rank = ascending.indexOf(each);
    if (rank === 0) return { ...each.label, yanchor: "top" };
    return rank === ascending.length - 1 ? each.label : { ...each.label, x: 0.5, xanchor: "center" };
  });
}

function wordsFor(trace: Trace, queues: Queues, predictions: readonly Prediction[]): string {
  const { accept, syn, room, bound, boundShown, sharing } = queues;
  const { port, backlog } = trace.meta.listener;
  const places = ({ max, timeOfMax }: Extent, of: number) =>
    `at most ${formatNumber(max)} of ${formatNumber(of)} places (at ${formatTime(timeOfMax)})`;
  const all = sharing ? `s of all ${formatNumber(sharing.listeners)} listeners` : "";
  const by = bound.by === "backlog" ? "min(backlog, somaxconn)" : "¾ tcp_max_syn_backlog";
  return [
    `Queues of port ${port} over ${formatTime(trace.end - trace.start)}, backlog ${formatNumber(backlog)}:`,
    `  accept queue${all}: ${places(accept, room)}, ${formatNumber(accept.last)} at the end`,
    ...(sharing
      ? [`  the fullest of ${formatNumber(sharing.listeners)} listeners: ${places(sharing.fullest, sharing.places)}`]
      : []),
    `  SYN queue${all}: at most ${formatNumber(syn.max)}${boundShown ? `, bounded by ${by}` : ""}, ${formatNumber(syn.last)} at the end`,
    ...predictions.map(({ value }) => `  your prediction: ${formatNumber(value)}`),
    ...trace.events.map(({ time, name, detail }) => `  ${formatTime(time)}: ${name}${detail ? `, ${detail}` : ""}`),
  ].join("\n");
}

/**
 * The capacity of the SYN queue, beyond which SYNs are dropped or answered by cookies: that of the accept queue, one
 * more or less by the kernel's version; with cookies off also at most three quarters of tcp_max_syn_backlog, and one.
 * Source: tcp_conn_request().
 */
function synBound(trace: Trace, room: number): SynBound {
  const setting = (name: string) => Number(trace.meta.settings[`net.ipv4.${name}`] ?? NaN);
  const most = setting("tcp_max_syn_backlog");
  // the kernel subtracts a quarter that is rounded down
  const quarters = most - (most >> 2) + 1;
  return setting("tcp_syncookies") === 0 && quarters < room
    ? { room: quarters, by: "tcp_max_syn_backlog" }
    : { room, by: "backlog" };
}

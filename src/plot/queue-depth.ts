import { formatNumber, formatTime, type Trace } from "../trace";
import { baseLayout, timeAxis, type Figure } from "./figure";
import { palette } from "./palette";
import { caption, eventLines, level, stepLine, type Prediction } from "./parts";

export interface QueueDepthOptions {
  predictions?: readonly Prediction[];
  height?: number;
  title?: string;
  /** most points of a line, about; default 1200 */
  points?: number;
}

/** How long are the two queues, and where is the limit? */
export function queueDepth(trace: Trace, { predictions = [], height = 420, title, points }: QueueDepthOptions = {}): Figure {
  const summary = trace.summary();
  const accept = summary.get("acceptQueue");
  const syn = summary.get("synQueue");
  const room = summary.get("acceptMax").last + 1;
  const highest = Math.max(accept.max, syn.max, 1);
  // A limit far above everything would flatten the picture: it is named in the text instead.
  const limitFits = room <= highest * 4;
  const drawn = [
    ...(limitFits ? [level(room, `room in the accept queue: min(backlog, somaxconn) + 1 = ${formatNumber(room)}`, palette.limit, "solid")] : []),
    ...predictions.map(({ value }) => level(value, `your prediction: ${formatNumber(value)}`, palette.prediction, "dash")),
  ];
  if (drawn.length > 1) spreadLabels(drawn.map(({ annotations }) => annotations[0]));
  const events = eventLines(trace);
  return {
    data: [
      stepLine(trace, "acceptQueue", { name: "accept queue", colour: palette.acceptQueue, fill: true, points }),
      stepLine(trace, "synQueue", { name: "SYN queue", colour: palette.synQueue, points }),
    ],
    layout: {
      ...baseLayout(height),
      margin: { l: 70, r: 24, t: title ? 88 : 56, b: 125 },
      ...(title && { title: { text: title, y: 0.98, yanchor: "top" } }),
      xaxis: timeAxis,
      yaxis: { title: { text: "connections", font: { size: 15 } }, range: [0, Math.max(highest, limitFits ? room : 0, ...predictions.map(({ value }) => value)) * 1.18], zeroline: false },
      shapes: [...drawn.flatMap(({ shapes }) => shapes), ...events.shapes],
      annotations: [...drawn.flatMap(({ annotations }) => annotations), ...events.annotations, caption(trace, events.caption)],
    },
    text: [
      `Queues of port ${trace.meta.listener.port} over ${formatTime(trace.end - trace.start)}, backlog ${formatNumber(trace.meta.listener.backlog)}:`,
      `  accept queue: at most ${formatNumber(accept.max)} of ${formatNumber(room)} places (at ${formatTime(accept.timeOfMax)}), ${formatNumber(accept.last)} at the end`,
      `  SYN queue: at most ${formatNumber(syn.max)}, ${formatNumber(syn.last)} at the end`,
      ...predictions.map(({ value }) => `  your prediction: ${formatNumber(value)}`),
      ...trace.events.map(({ time, name, detail }) => `  ${formatTime(time)}: ${name}${detail ? `, ${detail}` : ""}`),
    ].join("\n"),
  };
}

/** Two lines close to each other: one label above its line, the other below. */
function spreadLabels(labels: Record<string, unknown>[]): void {
  const sorted = [...labels].sort((a, b) => (a.y as number) - (b.y as number));
  sorted[0].yanchor = "top";
  sorted.slice(1, -1).forEach((label) => Object.assign(label, { x: 0.5, xanchor: "center" }));
}

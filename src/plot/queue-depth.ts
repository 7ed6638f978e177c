import { type Trace } from "../trace";
import { formatNumber, formatTime } from "../wording/number";
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
export function queueDepth(
  trace: Trace,
  { predictions = [], height = 420, title, points }: QueueDepthOptions = {},
): Figure {
  const summary = trace.summary();
  const accept = summary.get("acceptQueue");
  const syn = summary.get("synQueue");
  const room = summary.get("acceptMax").last + 1;
  // several listeners share the port: their queues are drawn as one, and the limit of each is in the words
  const sharing = trace.findColumn("fullest") && {
    many: summary.get("listeners").max,
    fullest: summary.get("fullest"),
    places: summary.get("fullestMax").max + 1,
  };
  const limit = sharing
    ? `room in the accept queues of ${formatNumber(sharing.many)} listeners: ${formatNumber(room)}`
    : `room in the accept queue: min(backlog, somaxconn) + 1 = ${formatNumber(room)}`;
  const highest = Math.max(accept.max, syn.max, 1);
  // A limit far above everything would flatten the picture: it is named in the text instead.
  const limitFits = room <= highest * 4;
  const reached = (value: number) => [accept.max, syn.max].some((peak) => Math.abs(peak - value) <= 1);
  const bound = synBound(trace, room);
  // of several listeners each has a bound of its own
  const boundFits = !sharing && syn.max * 2 > bound.room;
  const shared = boundFits && bound.by === "backlog" ? "; the same bounds the SYN queue" : "";
  const drawn = [
    ...(limitFits ? [level(room, `${limit}${shared}`, palette.limit, "solid", reached(room))] : []),
    ...(boundFits && bound.by === "tcp_max_syn_backlog"
      ? [
          level(
            bound.room,
            `room in the SYN queue: ¾ tcp_max_syn_backlog + 1 = ${formatNumber(bound.room)}`,
            palette.limit,
            "solid",
            reached(bound.room),
          ),
        ]
      : []),
    ...predictions.map(({ value }) =>
      level(value, `your prediction: ${formatNumber(value)}`, palette.prediction, "dash"),
    ),
  ];
  if (drawn.length > 1) spreadLabels(drawn.map(({ annotations }) => annotations[0]));
  const events = eventLines(trace);
  return {
    data: [
      stepLine(trace, "acceptQueue", { name: "accept queue", colour: palette.acceptQueue, fill: true, points }),
      ...(sharing
        ? [
            stepLine(trace, "fullest", {
              name: "accept queue of the fullest listener",
              colour: palette.limit,
              width: 1.5,
              points,
            }),
          ]
        : []),
      stepLine(trace, "synQueue", { name: "SYN queue", colour: palette.synQueue, points }),
    ],
    layout: {
      ...baseLayout(height),
      margin: { l: 70, r: 24, t: title ? 88 : 56, b: 125 },
      ...(title && { title: { text: title, y: 0.98, yanchor: "top" } }),
      xaxis: timeAxis,
      yaxis: {
        title: { text: "connections", font: { size: 15 } },
        range: [
          0,
          Math.max(
            highest,
            limitFits ? room : 0,
            boundFits && bound.by === "tcp_max_syn_backlog" ? bound.room : 0,
            ...predictions.map(({ value }) => value),
          ) * 1.18,
        ],
        zeroline: false,
      },
      shapes: [...drawn.flatMap(({ shapes }) => shapes), ...events.shapes],
      annotations: [
        ...drawn.flatMap(({ annotations }) => annotations),
        ...events.annotations,
        caption(trace, events.caption),
      ],
    },
    text: [
      `Queues of port ${trace.meta.listener.port} over ${formatTime(trace.end - trace.start)}, backlog ${formatNumber(trace.meta.listener.backlog)}:`,
      `  accept queue: at most ${formatNumber(accept.max)} of ${formatNumber(room)} places (at ${formatTime(accept.timeOfMax)}), ${formatNumber(accept.last)} at the end`,
      ...(sharing
        ? [
            `  the fullest of ${formatNumber(sharing.many)} listeners: at most ${formatNumber(sharing.fullest.max)} of ${formatNumber(sharing.places)} places (at ${formatTime(sharing.fullest.timeOfMax)})`,
          ]
        : []),
      `  SYN queue: at most ${formatNumber(syn.max)}${boundFits ? `, bounded by ${bound.by === "backlog" ? "min(backlog, somaxconn)" : "¾ tcp_max_syn_backlog"}` : ""}, ${formatNumber(syn.last)} at the end`,
      ...predictions.map(({ value }) => `  your prediction: ${formatNumber(value)}`),
      ...trace.events.map(({ time, name, detail }) => `  ${formatTime(time)}: ${name}${detail ? `, ${detail}` : ""}`),
    ].join("\n"),
  };
}

/**
 * How many requests the SYN queue takes before SYNs are dropped or answered by cookies: as many as the accept queue, give or take one by the
 * kernel's version; with cookies off also no more than three quarters of tcp_max_syn_backlog, and one. Source: tcp_conn_request().
 */
function synBound(trace: Trace, room: number): { room: number; by: "backlog" | "tcp_max_syn_backlog" } {
  const setting = (name: string) => Number(trace.meta.settings[`net.ipv4.${name}`] ?? NaN);
  const quarters = Math.floor(0.75 * setting("tcp_max_syn_backlog")) + 1;
  return setting("tcp_syncookies") === 0 && quarters < room
    ? { room: quarters, by: "tcp_max_syn_backlog" }
    : { room, by: "backlog" };
}

/** Two lines close to each other: one label above its line, the other below. */
function spreadLabels(labels: Record<string, unknown>[]): void {
  const sorted = [...labels].sort((a, b) => (a.y as number) - (b.y as number));
  sorted[0].yanchor = "top";
  sorted.slice(1, -1).forEach((label) => Object.assign(label, { x: 0.5, xanchor: "center" }));
}

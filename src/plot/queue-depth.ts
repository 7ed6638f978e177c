import { formatNumber, type Trace, type TraceMeta } from "../trace";
import type { Figure } from "./figure";
import { palette, translucent } from "./palette";
import { compose, type Level, type Panel } from "./panel";
import type { Prediction } from "./predict";
import { greatest, lastOf, stepLines, stepTrace, type StepOptions } from "./step-line";
import { timeAxis, type TimeAxis } from "./time-axis";
import { seriesInWords } from "./words";

export interface QueueDepthOptions extends StepOptions {
  /** drawn in as dashed lines: what predict() returned, or `{ label, value }` */
  predictions?: readonly (Prediction | { label: string; value: number })[];
  /** px of the plot itself; default 280 */
  height?: number;
  title?: string;
}

/** A limit further above the curves than this would press them flat; it is told in words then. */
const flattening = 4;
/** limits up to so many connections never press a burst flat */
const smallLimit = 600;

/** How long are the two queues, and where is the limit? */
export function queueDepth(trace: Trace, options: QueueDepthOptions = {}): Figure {
  const time = timeAxis(trace);
  return compose(trace, options.title ?? "Queue depth", [queuePanel(trace, time, options)], time, queueLines(trace, options));
}

export function queuePanel(trace: Trace, time: TimeAxis, { predictions = [], height = 280, ...steps }: QueueDepthOptions = {}): Panel {
  const accept = trace.column("acceptQueue");
  const syn = trace.column("synQueue");
  const maximum = trace.column("acceptMax");
  const queues = stepLines(trace, [accept], time, steps);
  const requests = stepLines(trace, [syn], time, steps);
  const highest = Math.max(greatest(accept), greatest(syn), ...predictions.map(({ value }) => value));
  const limit = greatest(maximum) + 1;
  const limitShown = maximum.time.length > 0 && (limit <= smallLimit || limit <= highest * flattening);
  const limits = stepLines(trace, [maximum], time, { ...steps, hover: false });
  return {
    title: "connections",
    height,
    top: Math.max(highest, limitShown ? limit : 0),
    data: [
      stepTrace("accept queue", queues.x, queues.y[0], palette.acceptQueue, { fill: "tozeroy", fillcolor: translucent(palette.acceptQueue, 0.2) }),
      stepTrace("SYN queue", requests.x, requests.y[0], palette.synQueue),
      ...(limitShown ? [stepTrace("room in the accept queue", limits.x, limits.y[0].map((most) => most + 1), palette.acceptQueue, { hoverinfo: "skip", hovertemplate: undefined, line: { width: 2, dash: "dash" } })] : []),
    ],
    ends: [
      { name: "accept queue", colour: palette.acceptQueue, at: lastOf(accept), value: formatNumber(lastOf(accept)) },
      { name: "SYN queue", colour: palette.synQueue, at: lastOf(syn), value: formatNumber(lastOf(syn)) },
    ],
    levels: [...(limitShown ? limitLevels(trace) : []), ...predictions.map(predictionLevel)],
    ...(!limitShown && highest === 0 && maximum.time.length > 0 && { note: `nothing has waited yet; there is room for ${formatNumber(limit)}` }),
  };
}

/** The panel in words. */
export function queueLines(trace: Trace, { predictions = [] }: QueueDepthOptions = {}): string[] {
  const accept = trace.column("acceptQueue");
  const syn = trace.column("synQueue");
  const maximum = trace.column("acceptMax");
  const told = (series: typeof accept): string => `at most ${formatNumber(greatest(series))}, at the end ${formatNumber(lastOf(series))}`;
  return [
    ...seriesInWords(trace, [
      { name: "accept queue", value: told(accept), series: accept },
      { name: "SYN queue", value: told(syn), series: syn },
    ]),
    ...(maximum.time.length > 0 ? [`  limit of the accept queue: ${limitFormula(trace.meta, lastOf(maximum))} (listen's maximum, Send-Q: ${formatNumber(lastOf(maximum))})`] : []),
    ...predictions.map((prediction) => `  ${predictionLevel(prediction).label}`),
  ];
}

/** "min(backlog 128, somaxconn 4096) + 1 = 129", or only what is sure if somaxconn is not known or was changed since listen(). */
export function limitFormula(meta: TraceMeta, maximum: number): string {
  const somaxconn = Number(meta.settings["net.core.somaxconn"]);
  // listen() takes the backlog as an unsigned number: -1 is the greatest of all
  const backlog = meta.listener.backlog < 0 ? Infinity : meta.listener.backlog;
  const total = formatNumber(maximum + 1);
  if (Math.min(backlog, somaxconn) !== maximum) return `${formatNumber(maximum)} + 1 = ${total}`;
  return `min(backlog ${formatNumber(meta.listener.backlog)}, somaxconn ${formatNumber(somaxconn)}) + 1 = ${total}`;
}

function limitLevels(trace: Trace): Level[] {
  const { values } = trace.column("acceptMax");
  const plateaus = values.filter((value, i) => i === 0 || value !== values[i - 1]);
  const line = { end: "right", dash: "dash", colour: palette.acceptQueue, drawn: true } as const;
  const last = plateaus[plateaus.length - 1];
  if (plateaus.length > 1) {
    const distinct = [...new Set(plateaus)].slice(-4);
    return distinct.map((maximum) => ({ ...line, side: "above", value: maximum + 1, label: maximum === last ? `limit: ${limitFormula(trace.meta, maximum)}` : `limit: ${formatNumber(maximum + 1)}` }));
  }
  return [
    { ...line, side: "above", value: last + 1, label: `limit: ${limitFormula(trace.meta, last)}` },
    { end: "right", side: "below", dash: "dot", width: 1, colour: palette.acceptQueue, value: last, label: `listen's maximum (Send-Q): ${formatNumber(last)}` },
  ];
}

function predictionLevel(prediction: Prediction | { label: string; value: number }): Level {
  const label = "label" in prediction ? prediction.label : "your prediction";
  return { value: prediction.value, label: `${label}: ${formatNumber(prediction.value)}`, end: "left", side: "above", dash: "longdash" };
}

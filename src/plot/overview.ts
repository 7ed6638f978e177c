import type { PlotData } from "plotly.js";
import type { Trace } from "../trace";
import { clientStates, occurringStates, stateAreas } from "./client-states";
import { counterLines, dropCounterNames, dropCounters, movedCounters } from "./drop-counters";
import { countAxis, recordingMargin, timeAxis, type Figure } from "./figure";
import type { Placement } from "./parts";
import { queueDepth, type QueueDepthOptions } from "./queue-depth";

/** of the queues' panel, and of each panel below it, in pixels */
const queuesHeight = 420;
const panelHeight = 190;

/** A panel below the queues. */
interface Panel {
  readonly title: string;
  lines(placement: Placement): Partial<PlotData>[];
  readonly text: string;
}

/** The panels that have something to show. */
function panelsOf(trace: Trace): Panel[] {
  const counters = movedCounters(trace, dropCounterNames);
  const panels: Panel[] = [];
  if (occurringStates(trace).length > 0)
    panels.push({
      title: "clients",
      lines: (placement) => stateAreas(trace, placement),
      text: clientStates(trace).text,
    });
  if (counters.length > 0)
    panels.push({
      title: "counters",
      lines: (placement) => counterLines(trace, counters, placement),
      text: dropCounters(trace).text,
    });
  return panels;
}

/**
 * What happened in a recording? Queues, clients and counters over one time axis, in seconds; a panel appears once it has something to
 * show. @param options of the queues' panel; `height` is that panel's
 */
export function overview(trace: Trace, options: QueueDepthOptions = {}): Figure {
  const queues = queueDepth(trace, options);
  const [second, third] = panelsOf(trace);
  if (!second) return queues;
  const panels = [
    { ...second, axis: "y2", key: "yaxis2" } as const,
    ...(third ? [{ ...third, axis: "y3", key: "yaxis3" } as const] : []),
  ];
  const height = (options.height ?? queuesHeight) + panels.length * panelHeight;
  // heights as shares of the picture
  const share = (panelHeight - 20) / (height - recordingMargin.t - recordingMargin.b);
  const gap = 0.05;
  const layout: Figure["layout"] = {
    ...queues.layout,
    height,
    margin: recordingMargin,
    legend: { ...queues.layout.legend, traceorder: "normal" },
    xaxis: { ...timeAxis, anchor: third ? "y3" : "y2" },
    yaxis: { ...queues.layout.yaxis, domain: [panels.length * (share + gap), 1] },
  };
  for (const [at, { key, title }] of panels.entries()) {
    const bottom = (panels.length - 1 - at) * (share + gap);
    layout[key] = { ...countAxis(title), domain: [bottom, bottom + share] };
  }
  const { points } = options;
  return {
    data: [...queues.data, ...panels.flatMap(({ axis, lines }) => lines({ xaxis: "x", yaxis: axis, points }))],
    layout,
    text: [queues.text, ...panels.map(({ text }) => text)].join("\n"),
  };
}

import type { Trace } from "../trace";
import { clientStates, occurringStates, stateAreas } from "./client-states";
import { counterLines, dropCounterNames, dropCounters, movedCounters } from "./drop-counters";
import { timeAxis, type Figure } from "./figure";
import { queueDepth, type QueueDepthOptions } from "./queue-depth";

const panelHeight = 190;

/** Queues, clients and counters of one recording over one time axis; a panel appears once it has something to show. */
export function overview(trace: Trace, options: QueueDepthOptions = {}): Figure {
  const queues = queueDepth(trace, options);
  const counters = movedCounters(trace, dropCounterNames);
  const panels: {
    title: string;
    data: (axes: { xaxis: string; yaxis: string; points?: number }) => Record<string, unknown>[];
    text: string;
  }[] = [];
  if (occurringStates(trace).length > 0)
    panels.push({ title: "clients", data: (axes) => stateAreas(trace, axes), text: clientStates(trace).text });
  if (counters.length > 0)
    panels.push({
      title: "counters",
      data: (axes) => counterLines(trace, counters, axes),
      text: dropCounters(trace).text,
    });
  if (panels.length === 0) return queues;

  const height = (options.height ?? 420) + panels.length * panelHeight;
  const margin = { l: 70, r: 24, t: 56, b: 125 };
  const share = (panelHeight - 20) / (height - margin.t - margin.b);
  const gap = 0.05;
  const layout: Record<string, unknown> = {
    ...queues.layout,
    height,
    margin,
    legend: { ...(queues.layout.legend as object), traceorder: "normal" },
  };
  const data = [...queues.data];
  layout.yaxis = { ...(queues.layout.yaxis as object), domain: [panels.length * (share + gap), 1] };
  panels.forEach((panel, at) => {
    const axis = `y${at + 2}`;
    const bottom = (panels.length - 1 - at) * (share + gap);
    layout[`yaxis${at + 2}`] = {
      title: { text: panel.title, font: { size: 15 } },
      rangemode: "tozero",
      zeroline: false,
      domain: [bottom, bottom + share],
    };
    data.push(...panel.data({ xaxis: "x", yaxis: axis, points: options.points }));
  });
  layout.xaxis = { ...timeAxis, anchor: `y${panels.length + 1}` };
  return { data, layout, text: [queues.text, ...panels.map(({ text }) => text)].join("\n") };
}

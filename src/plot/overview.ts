import type { Trace } from "../trace";
import { clientLines, clientPanel } from "./client-states";
import { counterLines, counterPanel } from "./drop-counters";
import type { Figure } from "./figure";
import { compose, type Panel } from "./panel";
import { queueLines, queuePanel, type QueueDepthOptions } from "./queue-depth";
import { timeAxis } from "./time-axis";

export interface OverviewOptions extends Omit<QueueDepthOptions, "height"> {
  /** counters of the last panel; default: those of the overflow counters that moved */
  counters?: readonly string[];
}

/** Queues, clients and drops of one recording over one time axis. A panel for which nothing was recorded is left out. */
export function overview(trace: Trace, { counters, title = "One listener", ...options }: OverviewOptions = {}): Figure {
  const time = timeAxis(trace);
  const { points, hover } = options;
  const panels: Panel[] = [queuePanel(trace, time, { ...options, height: 230 })];
  const lines = queueLines(trace, options);
  if (trace.tracks.clients !== undefined) {
    panels.push(clientPanel(trace, time, { points, hover, height: 130 }));
    lines.push("Clients:", ...clientLines(trace));
  }
  if (trace.tracks.counters !== undefined) {
    panels.push(counterPanel(trace, time, counters, { points, hover, height: 110 }));
    lines.push("Counters since the start:", ...counterLines(trace, counters));
  }
  return compose(trace, title, panels, time, lines);
}

import { type Trace } from "../trace";
import { formatNumber, formatTime } from "../wording/number";
import { baseLayout, timeAxis, type Figure } from "./figure";
import { stateColours, stateTitles } from "./palette";
import { caption, eventLines, stepLine } from "./parts";

/** Client states that occur in the trace. */
export function occurringStates(trace: Trace): string[] {
  const columns = trace.tracks.clients?.columns ?? {};
  const summary = trace.summary();
  return [
    "established",
    "synSent",
    "reset",
    "refused",
    "timedOut",
    "closedByServer",
    "closed",
    "failed",
    "idle",
  ].filter((name) => name in columns && summary.get(name).max > 0);
}

export function stateAreas(
  trace: Trace,
  axes: { xaxis?: string; yaxis?: string; points?: number } = {},
): Record<string, unknown>[] {
  return occurringStates(trace).map((name) =>
    stepLine(trace, name, { name: stateTitles[name], colour: stateColours[name], stackgroup: "clients", ...axes }),
  );
}

/** What do the clients believe, moment by moment? */
export function clientStates(trace: Trace): Figure {
  const events = eventLines(trace);
  const summary = trace.summary();
  return {
    data: stateAreas(trace),
    layout: {
      ...baseLayout(380),
      margin: { l: 70, r: 24, t: 56, b: 125 },
      xaxis: timeAxis,
      yaxis: { title: { text: "clients", font: { size: 15 } }, rangemode: "tozero", zeroline: false },
      shapes: events.shapes,
      annotations: [...events.annotations, caption(trace, events.caption)],
    },
    text: [
      `Clients at the end of ${formatTime(trace.end - trace.start)}:`,
      ...occurringStates(trace).map((name) => `  ${stateTitles[name]}: ${formatNumber(summary.get(name).last)}`),
    ].join("\n"),
  };
}

import type { PlotData } from "plotly.js";
import type { Trace } from "../trace";
import { formatNumber, formatTime } from "../wording/number";
import { baseLayout, countAxis, recordingMargin, timeAxis, type Figure } from "./figure";
import { clientStateNames, stateColours, stateTitles, type ClientStateName } from "./palette";
import { caption, eventLines, stepLine, type Placement } from "./parts";

/** Client states that occur in the trace, from below to above in the picture. */
export function occurringStates(trace: Trace): ClientStateName[] {
  const columns = trace.tracks.clients?.columns ?? {};
  const summary = trace.summary();
  return clientStateNames.filter((name) => name in columns && summary.get(name).max > 0);
}

/** Areas on one another, one for each state that occurs: their heights add up to the number of clients. */
export function stateAreas(trace: Trace, placement: Placement = {}): Partial<PlotData>[] {
  return occurringStates(trace).map((name) =>
    stepLine(trace, name, { name: stateTitles[name], colour: stateColours[name], stackgroup: "clients", ...placement }),
  );
}

/** In which state are the clients, moment by moment? Areas on one another, clients over seconds. */
export function clientStates(trace: Trace): Figure {
  const events = eventLines(trace);
  const summary = trace.summary();
  return {
    data: stateAreas(trace),
    layout: {
      ...baseLayout(380),
      margin: recordingMargin,
      xaxis: timeAxis,
      yaxis: countAxis("clients"),
      shapes: events.shapes,
      annotations: [...events.annotations, caption(trace, events.caption)],
    },
    text: [
      `Clients at the end of ${formatTime(trace.end - trace.start)}:`,
      ...occurringStates(trace).map((name) => `  ${stateTitles[name]}: ${formatNumber(summary.get(name).last)}`),
    ].join("\n"),
  };
}

import { formatNumber, type Series, type Trace } from "../trace";
import type { Figure } from "./figure";
import { clientStateLooks } from "./palette";
import { compose, type EndLabel, type Panel } from "./panel";
import { greatest, lastOf, stepLines, stepTrace, type StepOptions } from "./step-line";
import { timeAxis, type TimeAxis } from "./time-axis";
import { seriesInWords } from "./words";

export interface ClientStatesOptions extends StepOptions {
  /** px of the plot itself; default 260 */
  height?: number;
  title?: string;
}

/** What has become of the clients, as they see it? All states on top of one another, so that the whole stays the whole. */
export function clientStates(trace: Trace, options: ClientStatesOptions = {}): Figure {
  const time = timeAxis(trace);
  return compose(trace, options.title ?? "What the clients believe", [clientPanel(trace, time, options)], time, clientLines(trace));
}

export function clientPanel(trace: Trace, time: TimeAxis, { height = 260, ...steps }: ClientStatesOptions = {}): Panel {
  const states = occurring(trace);
  const series = states.map(({ series }) => series);
  const lines = stepLines(trace, series, time, steps);
  let below = 0;
  const ends: EndLabel[] = states.map(({ look, series }) => {
    const value = lastOf(series);
    below += value;
    return { name: look.title, colour: look.colour, at: below - value / 2, value: formatNumber(value) };
  });
  return {
    title: "clients",
    height,
    top: tallest(series),
    data: states.map(({ look }, i) => stepTrace(look.title, lines.x, lines.y[i], look.colour, { stackgroup: "clients", fillcolor: look.colour, line: { width: 0 } })),
    ends,
    ...(states.length === 0 && { note: "no clients were recorded" }),
  };
}

/** The panel in words. */
export function clientLines(trace: Trace): string[] {
  const states = occurring(trace);
  if (states.length === 0) return ["  no clients were recorded"];
  return seriesInWords(trace, states.map(({ look, series }) => ({ name: look.title, value: `at the end ${formatNumber(lastOf(series))}`, series })));
}

/** The states that occur, from the bottom of the stack to its top. */
function occurring(trace: Trace): { look: { colour: string; title: string }; series: Series }[] {
  const { clients } = trace.tracks;
  if (clients === undefined) return [];
  return Object.entries(clientStateLooks)
    .filter(([state]) => state in clients.columns)
    .map(([state, look]) => ({ look, series: { name: state, track: "clients", time: clients.time, values: clients.columns[state] } }))
    .filter(({ series }) => greatest(series) > 0);
}

function tallest(series: readonly Series[]): number {
  let most = 0;
  for (let row = 0; row < (series[0]?.time.length ?? 0); row++) most = Math.max(most, series.reduce((sum, { values }) => sum + values[row], 0));
  return most;
}

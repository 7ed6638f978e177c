import { type Trace } from "../trace";
import { formatNumber, formatTime } from "../wording/number";
import { baseLayout, timeAxis, type Figure } from "./figure";
import { palette, seriesDashes } from "./palette";
import { caption, eventLines, stepLine } from "./parts";

/** What is dropped has one colour, what is done with cookies another: within a kind the dashes tell counters apart. */
const kinds = [
  { colour: palette.drops, names: ["ListenOverflows", "ListenDrops", "TCPReqQFullDrop"] },
  { colour: palette.cookies, names: ["SyncookiesSent", "TCPReqQFullDoCookies", "SyncookiesRecv", "SyncookiesFailed"] },
  { colour: palette.other, names: ["TCPSynRetrans", "TCPTimeouts"] },
];

/** Counters that tell what became of those who did not fit. */
export const dropCounterNames = kinds
  .slice(0, 2)
  .flatMap(({ names }) => names)
  .map((name) => `TcpExt.${name}`);

function colourOf(name: string): string {
  return kinds.find(({ names }) => names.includes(name.split(".").pop()!))?.colour ?? palette.other;
}

/** Those of `names` that were recorded and moved. */
export function movedCounters(trace: Trace, names: readonly string[]): string[] {
  const recorded = new Set(Object.keys(trace.tracks.counters?.columns ?? {}));
  const summary = trace.summary();
  return names.filter((name) => recorded.has(name) && summary.get(name).max > 0);
}

export function counterLines(
  trace: Trace,
  names: readonly string[],
  axes: { xaxis?: string; yaxis?: string; points?: number } = {},
): Record<string, unknown>[] {
  const summary = trace.summary();
  const groups = alike(trace, names);
  return groups.map((group, at) => {
    const [short, ...same] = group.map((name) => name.split(".").pop()!);
    const colour = colourOf(group[0]);
    const before = groups.slice(0, at).filter(([first]) => colourOf(first) === colour).length;
    // the name says how far it came: beside a counter of a hundred thousand one of a hundred lies flat
    return stepLine(trace, group[0], {
      name: `${short} +${formatNumber(summary.get(group[0]).last)}${same.map((other) => `<br>= ${other}`).join("")}`,
      colour,
      dash: seriesDashes[before % seriesDashes.length],
      ...axes,
    });
  });
}

/** Counters that moved together throughout are one line: the last one drawn would hide the others. */
function alike(trace: Trace, names: readonly string[]): string[][] {
  const groups: string[][] = [];
  for (const name of names) {
    const group = groups.find(([first]) => movedTogether(trace.column(first).values, trace.column(name).values));
    if (group) group.push(name);
    else groups.push([name]);
  }
  return groups;
}

/** To the same end, and on the way never apart by more than what one reading may catch between two counters of the same event. */
function movedTogether(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  const end = a[a.length - 1];
  return end === b[b.length - 1] && Array.from(a).every((value, row) => Math.abs(value - b[row]) <= end / 100);
}

/** How often has the kernel turned somebody away, and how? Without names: the counters that moved. */
export function dropCounters(trace: Trace, names?: readonly string[]): Figure {
  const shown = names ?? movedCounters(trace, dropCounterNames);
  const events = eventLines(trace);
  const summary = trace.summary();
  return {
    data: counterLines(trace, shown),
    layout: {
      ...baseLayout(380),
      margin: { l: 70, r: 24, t: 56, b: 125 },
      xaxis: timeAxis,
      yaxis: { title: { text: "since the start", font: { size: 15 } }, rangemode: "tozero", zeroline: false },
      shapes: events.shapes,
      annotations: [...events.annotations, caption(trace, shown.length > 0 ? events.caption : "no counter moved")],
    },
    text: [
      `Counters over ${formatTime(trace.end - trace.start)}:`,
      ...(shown.length > 0
        ? shown.map((name) => `  ${name}: +${formatNumber(summary.get(name).last)}`)
        : ["  none moved"]),
    ].join("\n"),
  };
}

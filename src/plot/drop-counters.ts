import type { PlotData } from "plotly.js";
import type { Trace } from "../trace";
import { formatNumber, formatTime } from "../wording/number";
import { baseLayout, countAxis, recordingMargin, timeAxis, type Figure } from "./figure";
import { palette, seriesDash } from "./palette";
import { caption, eventLines, stepLine, type Placement } from "./parts";

/**
 * Counters of drops have one colour, and counters of SYN cookies another. Counters of one colour differ in their
 * dashes.
 */
const drops = { colour: palette.drops, names: ["ListenOverflows", "ListenDrops", "TCPReqQFullDrop"] };
const cookies = {
  colour: palette.cookies,
  names: ["SyncookiesSent", "TCPReqQFullDoCookies", "SyncookiesRecv", "SyncookiesFailed"],
};

/**
 * The kernel's counters of connections that did not fit a queue (include/uapi/linux/snmp.h), by the names of
 * /proc/net/netstat.
 */
export const dropCounterNames: readonly string[] = [drops, cookies].flatMap(({ names }) =>
  names.map((name) => `TcpExt.${name}`),
);

/** "TcpExt.ListenDrops" becomes "ListenDrops". */
const shortName = (name: string) => name.slice(name.lastIndexOf(".") + 1);

function colourOf(name: string): string {
  return [drops, cookies].find(({ names }) => names.includes(shortName(name)))?.colour ?? palette.other;
}

/** Those of `names` that were recorded and moved. */
export function movedCounters(trace: Trace, names: readonly string[]): string[] {
  const recorded = new Set(Object.keys(trace.tracks.counters?.columns ?? {}));
  const summary = trace.summary();
  return names.filter((name) => recorded.has(name) && summary.get(name).max > 0);
}

/**
 * One step line for each counter, or for each group of counters that moved together.
 * @param names as in the recording: "TcpExt.ListenDrops"
 */
export function counterLines(trace: Trace, names: readonly string[], placement: Placement = {}): Partial<PlotData>[] {
  const summary = trace.summary();
  const drawnIn = new Map<string, number>();
  return alike(trace, names).map(({ first, same }) => {
    const colour = colourOf(first);
    const before = drawnIn.get(colour) ?? 0;
    drawnIn.set(colour, before + 1);
    // the name has the last value, because a counter of 100 is a flat line beside one of 100,000
    return stepLine(trace, first, {
      name: [
        `${shortName(first)} +${formatNumber(summary.get(first).last)}`,
        ...same.map((other) => `= ${shortName(other)}`),
      ].join("<br>"),
      colour,
      dash: seriesDash(before),
      ...placement,
    });
  });
}

interface Group {
  /** the counter that is drawn */
  readonly first: string;
  /** counters that moved as the first did */
  readonly same: string[];
}

/** Counters that moved together throughout are one line: the last one drawn would hide the others. */
function alike(trace: Trace, names: readonly string[]): Group[] {
  const groups: Group[] = [];
  for (const name of names) {
    const group = groups.find(({ first }) => movedTogether(trace.column(first).values, trace.column(name).values));
    if (group) group.same.push(name);
    else groups.push({ first: name, same: [] });
  }
  return groups;
}

/**
 * To the same end, and on the way never apart by more than what one reading may catch between two counters of the same
 * event.
 */
function movedTogether(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  const end = a[a.length - 1] ?? NaN;
  return end === b[b.length - 1] && Array.from(a).every((value, row) => Math.abs(value - (b[row] ?? NaN)) <= end / 100);
}

/**
 * The number of times that the kernel has dropped a SYN or a connection, or answered with a SYN cookie: counters as
 * step lines over seconds.
 * @param names as in the recording: "TcpExt.ListenDrops"; default: of {@link dropCounterNames} those that moved
 */
export function dropCounters(trace: Trace, names?: readonly string[]): Figure {
  const shown = names ?? movedCounters(trace, dropCounterNames);
  const events = eventLines(trace);
  const summary = trace.summary();
  return {
    data: counterLines(trace, shown),
    layout: {
      ...baseLayout(380),
      margin: recordingMargin,
      xaxis: timeAxis,
      yaxis: countAxis("since the start"),
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

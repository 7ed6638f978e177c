import { formatNumber, formatTime, type Trace } from "../trace";
import { baseLayout, timeAxis, type Figure } from "./figure";
import { palette } from "./palette";
import { caption, eventLines, stepLine } from "./parts";

const colours: Record<string, string> = {
  ListenOverflows: "#D55E00", ListenDrops: "#7B3294", TCPReqQFullDrop: "#CC79A7", TCPReqQFullDoCookies: "#0072B2",
  SyncookiesSent: palette.cookies, SyncookiesRecv: "#009E73", SyncookiesFailed: "#8C564B", TCPSynRetrans: "#E69F00", TCPTimeouts: "#F0C75E",
};

/** Counters that tell what became of those who did not fit. */
export const dropCounterNames = ["ListenOverflows", "ListenDrops", "TCPReqQFullDrop", "TCPReqQFullDoCookies", "SyncookiesSent", "SyncookiesRecv", "SyncookiesFailed"].map((name) => `TcpExt.${name}`);

/** Those of `names` that were recorded and moved. */
export function movedCounters(trace: Trace, names: readonly string[]): string[] {
  const recorded = new Set(Object.keys(trace.tracks.counters?.columns ?? {}));
  const summary = trace.summary();
  return names.filter((name) => recorded.has(name) && summary.get(name).max > 0);
}

export function counterLines(trace: Trace, names: readonly string[], axes: { xaxis?: string; yaxis?: string; points?: number } = {}): Record<string, unknown>[] {
  return names.map((name, at) => {
    const short = name.split(".").pop()!;
    return stepLine(trace, name, { name: short, colour: colours[short] ?? palette.other, width: 2 + (names.length - at) * 0.7, ...axes });
  });
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
    text: [`Counters over ${formatTime(trace.end - trace.start)}:`, ...(shown.length > 0 ? shown.map((name) => `  ${name}: +${formatNumber(summary.get(name).last)}`) : ["  none moved"])].join("\n"),
  };
}

/** What a watch prints: a panel that stays in place on a terminal, one line per interval elsewhere. */
import { gauge, sparkline } from "../terminal/meter";
import { formatCount, formatPercent } from "../wording/number";
import { fullness, type Listening } from "./listeners";
import type { Report } from "./report";

/** The panel of one port, about 15 lines. @param history peaks of the past intervals, newest last @param width of the terminal, characters */
export function panel(title: string, report: Report, history: readonly number[], width: number): string[] {
  const label = (text: string) => text.padEnd(14);
  const since = (now: number, ever: number) =>
    `${formatCount(ever).padStart(9)}   ${now > 0 ? `+${formatCount(now)} in this interval` : ""}`;
  const filled = (name: string, waiting: number, places: number, share: string) =>
    `${label(name)}${formatCount(waiting).padStart(9)} of ${formatCount(places)}   ${share}`;
  const share = `${gauge(report.full, 20)} ${formatPercent(report.full)}`;
  const several = report.listeners > 1;
  const recent = history.slice(-Math.max(10, width - 40));
  return [
    title,
    "",
    filled(
      "accept queue",
      report.acceptQueue,
      report.places,
      several ? `in the queues of ${formatCount(report.listeners)} listeners` : share,
    ),
    ...(several ? [filled("the fullest", report.fullest, report.fullestMaximum + 1, share)] : []),
    `${label("peak")}${formatCount(report.peak).padStart(9)}   ${formatCount(report.peakEver)} since the start`,
    `${label("")}${sparkline(recent)}  up to ${formatCount(Math.max(0, ...recent))}`,
    `${label("SYN queue")}${formatCount(report.synQueue).padStart(9)}   peak ${formatCount(report.synQueuePeak)}`,
    "",
    "all listeners of this network namespace together:",
    `${label("accepted")}${formatCount(report.acceptRate).padStart(9)} per second   ${formatCount(report.handshakeRate)} handshakes per second`,
    `${label("overflows")}${since(report.overflows, report.overflowsEver)}`,
    `${label("drops")}${since(report.drops, report.dropsEver)}`,
    `${label("SYN cookies")}${since(report.cookies, report.cookiesEver)}`,
    "",
    `watching for ${Math.round(report.time)} s, using ${formatPercent(report.cost)} of a core. Ctrl-C ends the watch.`,
  ];
}

/** One line of a log. */
export function line(report: Report): string {
  return [
    `${report.time.toFixed(1)} s`,
    `accept queue ${formatCount(report.acceptQueue)} of ${formatCount(report.places)} (${report.listeners > 1 ? `the fullest of ${formatCount(report.listeners)} listeners ` : ""}${formatPercent(report.full)}, peak ${formatCount(report.peak)})`,
    `SYN queue ${formatCount(report.synQueue)}`,
    `${formatCount(report.acceptRate)} accepted per second`,
    `overflows +${formatCount(report.overflows)}`,
    `drops +${formatCount(report.drops)}`,
    `cookies +${formatCount(report.cookies)}`,
  ].join("  ");
}

/** All listeners of this network namespace, the fullest first. @param peaks longest accept queues, by inode @param owners "nginx (1234)", by inode */
export function listenersTable(
  listening: readonly Listening[],
  peaks: ReadonlyMap<number, number>,
  owners: ReadonlyMap<number, string>,
): string[] {
  const rows = [...listening].sort((a, b) => fullness(b) - fullness(a) || a.port - b.port);
  return [
    "  port  IP  accept queue     limit    full     peak  held by",
    ...rows.map((each) =>
      [
        String(each.port).padStart(6),
        `v${each.version}`.padStart(4),
        formatCount(each.acceptQueue).padStart(14),
        formatCount(each.maximum).padStart(10),
        formatPercent(fullness(each)).padStart(8),
        formatCount(peaks.get(each.inode) ?? 0).padStart(9),
        `  ${owners.get(each.inode) ?? "–"}`,
      ].join(""),
    ),
  ];
}

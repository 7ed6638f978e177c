/** What a watch prints: a panel that stays in place on a terminal, a line an interval elsewhere. */
import { fullness, Listening } from "./listeners";
import type { Report } from "./watching";

const blocks = [..." ▁▂▃▄▅▆▇█"];

/** A row of blocks, `most` a full one: by default the highest value. */
export function sparkline(values: readonly number[], most = Math.max(1, ...values)): string {
  return values.map((value) => blocks[value <= 0 ? 0 : Math.max(1, Math.round(Math.min(1, value / most) * (blocks.length - 1)))]).join("");
}

/** "██████░░░░", `share` from 0 to 1. */
export function gauge(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

export function percent(share: number): string {
  return `${share >= 0.1 || share === 0 ? Math.round(share * 100) : (share * 100).toFixed(1)} %`;
}

/** Some ten lines. `history` holds the peaks of the intervals past, newest last. */
export function panel(title: string, report: Report, history: readonly number[], width: number): string[] {
  const label = (text: string) => text.padEnd(14);
  const since = (now: number, ever: number) => `${count(ever).padStart(9)}   ${now > 0 ? `+${count(now)} just now` : ""}`;
  const filled = (name: string, waiting: number, places: number, share: string) => `${label(name)}${count(waiting).padStart(9)} of ${count(places)}   ${share}`;
  const share = `${gauge(report.full, 20)} ${percent(report.full)}`;
  const several = report.listeners > 1;
  const recent = history.slice(-Math.max(10, width - 40));
  return [
    title,
    "",
    filled("accept queue", report.acceptQueue, report.places, several ? `in the queues of ${count(report.listeners)} listeners` : share),
    ...(several ? [filled("the fullest", report.fullest, report.fullestMaximum + 1, share)] : []),
    `${label("peak")}${count(report.peak).padStart(9)}   ${count(report.peakEver)} since the start`,
    `${label("")}${sparkline(recent)}  up to ${count(Math.max(0, ...recent))}`,
    `${label("SYN queue")}${count(report.synQueue).padStart(9)}   peak ${count(report.synQueuePeak)}`,
    "",
    "of this network namespace, as the kernel counts them:",
    `${label("accepted")}${count(report.acceptRate).padStart(9)} /s   ${count(report.handshakeRate)} handshakes /s`,
    `${label("overflows")}${since(report.overflows, report.overflowsEver)}`,
    `${label("drops")}${since(report.drops, report.dropsEver)}`,
    `${label("SYN cookies")}${since(report.cookies, report.cookiesEver)}`,
    "",
    `watching for ${Math.round(report.time)} s, at ${percent(report.cost)} of a core. Ctrl-C ends.`,
  ];
}

/** One line for logs. */
export function line(report: Report): string {
  return [
    `${report.time.toFixed(1)} s`, `accept queue ${count(report.acceptQueue)} of ${count(report.places)} (${report.listeners > 1 ? `the fullest of ${count(report.listeners)} listeners ` : ""}${percent(report.full)}, peak ${count(report.peak)})`,
    `SYN queue ${count(report.synQueue)}`, `${count(report.acceptRate)} accepted/s`,
    `overflows +${count(report.overflows)}`, `drops +${count(report.drops)}`, `cookies +${count(report.cookies)}`,
  ].join("  ");
}

/** All listeners of the machine, the fullest first. */
export function listenersTable(listening: readonly Listening[], peaks: ReadonlyMap<number, number>, owners: ReadonlyMap<number, string>): string[] {
  const rows = [...listening].sort((a, b) => fullness(b) - fullness(a) || a.port - b.port);
  return [
    "  port  IP  accept queue   maximum    full     peak  held by",
    ...rows.map((each) => [
      String(each.port).padStart(6), `v${each.version}`.padStart(4), count(each.acceptQueue).padStart(14), count(each.maximum).padStart(10),
      percent(fullness(each)).padStart(8), count(peaks.get(each.inode) ?? 0).padStart(9), `  ${owners.get(each.inode) ?? "–"}`,
    ].join("")),
  ];
}

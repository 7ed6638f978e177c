/** What a watch prints: a panel that stays in place on a terminal, one line per interval and address elsewhere. */
import { gauge, sparkline } from "../terminal/meter";
import { countOf, formatCount, formatPercent } from "../wording/number";
import { named } from "./holders";
import type { NamespaceReport, Report, SocketReport } from "./report";

/** What is not known. */
const unknown = "–";
/** sockets of one place that the panel shows by themselves */
const mostSockets = 16;

const label = (text: string) => text.padEnd(14);
const perSecond = (rate: number | null) => (rate === null ? unknown : formatCount(Math.round(rate)));

/** What the panel shows besides the reports. */
export interface PanelContext {
  /** peaks of the past intervals, newest last, by address and port */
  history: ReadonlyMap<string, readonly number[]>;
  /** sentences, newest last */
  events: readonly string[];
  /** of the terminal, characters */
  width: number;
  /** s since the watch began */
  time: number;
}

/** The panel of everything that is watched. */
export function panel(reports: readonly Report[], { history, events, width, time }: PanelContext): string[] {
  const [first] = reports;
  const room = Math.max(10, width - 40);
  return [
    ...reports.flatMap((report) => placePanel(report, (history.get(report.listener) ?? []).slice(-room))),
    ...(first ? namespacePanel(first.namespace) : []),
    ...(events.length > 0 ? [...events.slice(-3), ""] : []),
    `watching for ${Math.round(time)} s${first ? `, using ${formatPercent(first.cost)} of a core` : ""}. Ctrl-C ends the watch.`,
  ];
}

function placePanel(report: Report, peaks: readonly number[]): string[] {
  const owner = named(report.queues.flatMap(({ heldBy }) => heldBy ?? []));
  const title = `${titleOf(report)}${owner ? `, ${owner}` : ""}`;
  if (report.listeners === 0)
    return [title, `${label("")}no socket listens here for ${(report.absent ?? 0).toFixed(0)} s`, ""];
  const several = report.listeners > 1;
  const share = fullText(report.full ?? 0);
  const since = report.drops > 0 ? `+${formatCount(report.drops)} in this interval` : "";
  return [
    title,
    filled(
      "accept queue",
      report.acceptQueue ?? 0,
      report.places ?? 0,
      several ? "in the queues of all sockets" : share,
    ),
    ...(several ? socketLines(report.queues) : []),
    `${label("peak")}${formatCount(report.peak).padStart(9)}   ${formatCount(report.peakEver)} since the start`,
    `${label("")}${sparkline(peaks)}  up to ${formatCount(Math.max(0, ...peaks))}`,
    `${label("SYN queue")}${formatCount(report.synQueue ?? 0).padStart(9)}   peak ${formatCount(report.synQueuePeak)}`,
    `${label("drops")}${formatCount(report.dropsEver).padStart(9)}   ${since}`,
    `${label("accepted")}${perSecond(report.acceptRate).padStart(9)}${acceptNote(report)}`,
    "",
  ];
}

function namespacePanel(all: NamespaceReport): string[] {
  const since = (name: string, ever: number, now: number) =>
    `${label(name)}${formatCount(ever).padStart(9)}   ${now > 0 ? `+${formatCount(now)} in this interval` : ""}`;
  return [
    `all listeners of this network namespace together (${countOf(all.listening, "listening address", "listening addresses")}):`,
    `${label("accepted")}${perSecond(all.acceptRate).padStart(9)} per second   ${perSecond(all.handshakeRate)} handshakes per second`,
    since("overflows", all.overflowsEver, all.overflows),
    since("drops", all.dropsEver, all.drops),
    since("SYN cookies", all.cookiesEver, all.cookies),
    "",
  ];
}

function titleOf({ listener, ip, protocol, listeners }: Report): string {
  const sharing = listeners > 1 ? `, ${formatCount(listeners)} sockets share it (SO_REUSEPORT)` : "";
  return `${listener} (${ip}${protocol === "mptcp" ? ", MPTCP" : ""})${sharing}`;
}

function acceptNote({ acceptRate, acceptRateUnknown }: Report): string {
  return acceptRate === null ? `   not known: ${acceptRateUnknown ?? ""}` : " per second";
}

function socketLines(queues: readonly SocketReport[]): string[] {
  const lines = queues
    .slice(0, mostSockets)
    .map((each) =>
      filled(
        "",
        each.acceptQueue,
        each.maximum + 1,
        `${fullText(each.full)}${each.dropsEver > 0 ? `   drops ${formatCount(each.dropsEver)}` : ""}`,
      ),
    );
  const more = queues.length - mostSockets;
  return more > 0 ? [...lines, `${label("")}and ${countOf(more, "more socket")}`] : lines;
}

function filled(name: string, waiting: number, places: number, share: string): string {
  return `${label(name)}${formatCount(waiting).padStart(9)} of ${formatCount(places).padEnd(7)} ${share}`;
}

function fullText(share: number): string {
  return `${gauge(share, 20)} ${formatPercent(share)}`;
}

/** One line of a log. */
export function line(report: Report): string {
  const { time, listener, listeners, queues, namespace } = report;
  const head = `${time.toFixed(1)} s  ${listener}`;
  if (listeners === 0) return `${head}  no socket listens here for ${(report.absent ?? 0).toFixed(1)} s`;
  const each = queues
    .slice(0, mostSockets)
    .map(({ acceptQueue, maximum }) => `${formatCount(acceptQueue)} of ${formatCount(maximum + 1)}`);
  const sharing =
    listeners > 1
      ? `; ${formatCount(listeners)} sockets share it: ${each.join(", ")}${listeners > mostSockets ? ", …" : ""}; the fullest`
      : ",";
  return [
    head,
    `accept queue ${formatCount(report.acceptQueue ?? 0)} of ${formatCount(report.places ?? 0)}${sharing} ${formatPercent(report.full ?? 0)} full, peak ${formatCount(report.peak)}`,
    `SYN queue ${formatCount(report.synQueue ?? 0)}`,
    `drops +${formatCount(report.drops)}`,
    `accepted per second ${perSecond(report.acceptRate)}`,
    `namespace: accepted per second ${perSecond(namespace.acceptRate)}, overflows +${formatCount(namespace.overflows)}, drops +${formatCount(namespace.drops)}, cookies +${formatCount(namespace.cookies)}`,
  ].join("  ");
}

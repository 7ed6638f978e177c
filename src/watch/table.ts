/** The table of every listener: of TCP, and of UNIX as far as one has had a connection waiting. */
import type { UnixListeningSocket } from "../native";
import { countOf, formatCount, formatPercent } from "../wording/number";
import { type TextColumn, textTable } from "../wording/text-table";
import { byPlace, fullness, type Listening, versionsOf, whereOf } from "./listeners";
import type { UnixListening } from "./unix";

/** What was seen since the watch began, by inode. */
export interface SinceStart {
  /** longest accept queues, connections */
  peaks: ReadonlyMap<number, number>;
  /** SYNs and final ACKs dropped at the listener (sk_drops) */
  drops: ReadonlyMap<number, number>;
  /** "nginx (1234)" */
  holders: ReadonlyMap<number, string>;
}

const right = (title: string): TextColumn => ({ title, align: "right" });
const left = (title: string): TextColumn => ({ title, align: "left" });

/** The share of a UNIX listener's places that are taken, 0 to 1: unix_recvq_full() is true only above the backlog. */
export function unixFullness({ acceptQueue, maximum }: UnixListeningSocket): number {
  return acceptQueue / (maximum + 1);
}

/** All TCP listeners, the fullest first: one line a socket. */
export function listenersTable(listening: readonly Listening[], { peaks, drops, holders }: SinceStart): string[] {
  const places = byPlace(listening);
  const rows = [...listening]
    .sort((a, b) => fullness(b) - fullness(a) || a.port - b.port)
    .map((each) => [
      whereOf(each),
      `${versionsOf(each)}${each.ulp === "mptcp" ? " MPTCP" : ""}`,
      formatCount(each.acceptQueue),
      formatCount(each.maximum),
      formatPercent(fullness(each)),
      formatCount(peaks.get(each.inode) ?? 0),
      formatCount(drops.get(each.inode) ?? 0),
      holders.get(each.inode) ?? "–",
    ]);
  const columns = [
    left("address"),
    left("IP"),
    right("accept queue"),
    right("limit"),
    right("full"),
    right("peak"),
    right("drops"),
    left("held by"),
  ];
  const shared = [...places].filter(([, sockets]) => sockets.length > 1);
  return [
    ...(rows.length > 0 ? textTable(columns, rows).split("\n") : ["No TCP socket listens in this network namespace."]),
    ...shared.map(
      ([where, sockets]) =>
        `${where}: ${formatCount(sockets.length)} sockets share it (SO_REUSEPORT), each with a queue of its own.`,
    ),
  ];
}

/** UNIX listeners with a connection waiting now or since the watch began, and how many others there are. */
export function unixTable({ count, sockets }: UnixListening, { peaks, holders }: SinceStart): string[] {
  if (count === 0) return [];
  if (!sockets)
    return [
      `${countOf(count, "UNIX listener")}: the kernel has no unix_diag (modprobe unix_diag, as root), so their queues cannot be read.`,
    ];
  const waited = sockets.filter(({ inode }) => (peaks.get(inode) ?? 0) > 0);
  const rows = waited.map((each) => [
    each.name || "(no name)",
    formatCount(each.acceptQueue),
    formatCount(each.maximum),
    formatPercent(unixFullness(each)),
    formatCount(peaks.get(each.inode) ?? 0),
    holders.get(each.inode) ?? "–",
  ]);
  const columns = [
    left("UNIX listener"),
    right("accept queue"),
    right("limit"),
    right("full"),
    right("peak"),
    left("held by"),
  ];
  const idle = count - waited.length;
  return [
    ...(rows.length > 0 ? ["", ...textTable(columns, rows).split("\n")] : []),
    ...(idle > 0 ? [`${countOf(idle, "UNIX listener")} with an empty accept queue: --json lists them.`] : []),
  ];
}

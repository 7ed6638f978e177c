/** What to check before a server goes into production: its listener, its queue, a burst, its limits. */
import { readdirSync, readFileSync } from "node:fs";
import { ArgumentError, requireKnown } from "../errors";
import type { Listens } from "../listener/reach";
import type { Surroundings } from "../trace/record";
import { formatNumber, formatTime } from "../wording/number";
import { type BurstOutcome, sendBurst } from "./checklist-burst";
import { fullestOf, groupReached, type ListenerGroup, listenerGroups, type Queue, total } from "./listener-groups";

/** One row of the checklist. */
export interface CheckRow {
  /** what was checked */
  check: string;
  /** what was found */
  found: string;
  /** "look": the reader must decide */
  verdict: "good" | "look" | "bad";
  /** what to do about it; "" if the verdict is good */
  advice: string;
}

/** What checklist() may look at besides the listener. */
export interface ChecklistOptions {
  /** the server's process, for its limit of descriptors; default: that row is missing */
  pid?: number;
  /** clients that connect at the same moment over loopback, send nothing and leave; default: no burst */
  burst?: number;
}

const halfFull = 0.5;
const smallBacklog = 128;

/**
 * Examines the listeners on a port of this Lab. Listeners that share an address (SO_REUSEPORT) are examined together, and
 * others apart: 0.0.0.0 and [::] never get each other's clients. The burst goes to the address that connect() takes. With
 * a burst the counters are those of the burst, without one those of the Lab so far.
 * @param to a Listener, or a port
 * @throws ArgumentError no socket listens there; LimitError more clients than this process has descriptors
 */
export async function checklist(
  surroundings: Surroundings,
  to: Listens,
  options: ChecklistOptions = {},
): Promise<CheckRow[]> {
  requireKnown(options, ["pid", "burst"], "checklist()");
  const port = typeof to === "number" ? to : to.port;
  const { pid, burst } = options;
  const { host, sysctls, counters } = surroundings;
  const groups = listenerGroups(host, port);
  if (groups.length === 0)
    throw new ArgumentError(`No socket listens on port ${port} in this Lab.`, "Start the server first.");
  const before = counters.read();
  const queues = burst === undefined ? groups.map((group) => queueNow(group, groups)) : [];
  const sent = burst === undefined ? undefined : await inBurst(surroundings, to, groups, burst);
  const now = counters.read();
  const rise = (name: string) => (sent?.wasSent ? now.since(before).get(name) : now.get(name));
  const shared = groups.some((group) => group.queues.length > 1);
  return [
    ...backlogRows(groups, await sysctls.get("net.core.somaxconn")),
    ...queues,
    ...(sent?.rows ?? []),
    ...counterRows(
      rise,
      await sysctls.get("net.ipv4.tcp_syncookies"),
      sent?.wasSent ? "in the burst" : "in this Lab so far",
    ),
    ...(shared ? [migrationRow(await sysctls.get("net.ipv4.tcp_migrate_req").catch(() => 0))] : []),
    ...(pid === undefined ? [] : descriptorRows(pid)),
  ];
}

function row(check: string, found: string, verdict: CheckRow["verdict"], advice: string): CheckRow {
  return { check, found, verdict, advice: verdict === "good" ? "" : advice };
}

/** " of [::]:8080" where the port has several groups of listeners. */
function ofGroup({ name }: ListenerGroup, groups: readonly ListenerGroup[]): string {
  return groups.length > 1 ? ` of ${name}` : "";
}

function backlogRows(groups: readonly ListenerGroup[], somaxconn: number): CheckRow[] {
  const longest = Math.max(...groups.flatMap(({ queues }) => queues.map(({ limit }) => limit)));
  return [
    ...groups.map((group) => {
      const limits = group.queues.map(({ limit }) => limit);
      const [least, most] = [Math.min(...limits), Math.max(...limits)];
      const range = least === most ? formatNumber(least) : `${formatNumber(least)} to ${formatNumber(most)}`;
      return row(
        `backlog${ofGroup(group, groups)}`,
        `${range}${limits.length > 1 ? ` at each of ${limits.length} listeners` : ""}`,
        least < smallBacklog ? "bad" : "good",
        "Set the backlog to the largest burst that you expect. Some languages default to 5.",
      );
    }),
    row(
      "somaxconn",
      formatNumber(somaxconn),
      longest >= somaxconn && somaxconn < 4096 ? "look" : "good",
      "The kernel may have cut the backlog down. Raise net.core.somaxconn, then call listen() again.",
    ),
  ];
}

/** bad: full (sk_acceptq_is_full() is true above the limit); look: more than half full */
function fill({ length, limit }: Queue): CheckRow["verdict"] {
  if (length > limit) return "bad";
  return length > halfFull * limit ? "look" : "good";
}

/** "6 of 6": a length and the capacity, which is one more than the limit. */
function lengthOf({ length, limit }: Queue): string {
  return `${formatNumber(length)} of ${formatNumber(limit + 1)}`;
}

/** "8 of 12; the fullest of 2 queues: 6 of 6". A client that meets a full queue is dropped, whatever the others have. */
function lengthsOf(length: number, group: ListenerGroup, fullest: Queue): string {
  const count = group.queues.length;
  const limit = total(group, ({ limit: each }) => each + 1) - 1;
  return `${lengthOf({ length, limit })}${count > 1 ? `; the fullest of ${count} queues: ${lengthOf(fullest)}` : ""}`;
}

function queueNow(group: ListenerGroup, groups: readonly ListenerGroup[]): CheckRow {
  const fullest = fullestOf(group);
  return row(
    `accept queue now${ofGroup(group, groups)}`,
    lengthsOf(
      total(group, ({ length }) => length),
      group,
      fullest,
    ),
    fill(fullest),
    "The application does not keep up. Find out what blocks its accept loop.",
  );
}

/** The rows of a burst; of groups that it does not reach, how their queues are now. */
async function inBurst(
  surroundings: Surroundings,
  to: Listens,
  groups: readonly ListenerGroup[],
  clients: number,
): Promise<{ wasSent: boolean; rows: CheckRow[] }> {
  const count = formatNumber(clients);
  let reached: ReturnType<typeof groupReached>;
  try {
    reached = groupReached(surroundings.host, to, groups);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    const none = row(
      `queue in a burst of ${count}, at most`,
      `no burst was sent: ${error.message}`,
      "look",
      error.hint ?? "",
    );
    return { wasSent: false, rows: [...groups.map((group) => queueNow(group, groups)), none] };
  }
  const { target, group = groups[0] } = reached;
  if (group === undefined) return { wasSent: false, rows: [] };
  const outcome = await sendBurst(surroundings, target, group, clients);
  const others = groups.filter((each) => each !== group);
  return {
    wasSent: true,
    rows: [
      ...others.map((each) => queueNow(each, groups)),
      row(
        `queue in a burst of ${count}, at most${ofGroup(group, groups)}`,
        lengthsOf(outcome.peak, group, outcome.fullest),
        fill(outcome.fullest),
        "The burst fills the queue. Use a longer backlog, or a loop that only accepts.",
      ),
      connectRow(outcome, clients),
    ],
  };
}

function connectRow({ connected, resends, refused, reset }: BurstOutcome, clients: number): CheckRow {
  const last = connected.at(-1);
  const slowest = last === undefined ? "" : `, the slowest after ${formatTime(last)}`;
  const more = [
    ...(refused > 0 ? [`refused: ${formatNumber(refused)}`] : []),
    ...(reset > 0 ? [`reset: ${formatNumber(reset)}`] : []),
  ];
  return row(
    "time to connect in it",
    [
      `${formatNumber(connected.length)} connected${slowest}`,
      `SYNs retransmitted: ${formatNumber(resends)}`,
      ...more,
    ].join("; "),
    resends > 0 || connected.length < clients || reset > 0 ? "bad" : "good",
    [
      ...(refused > 0
        ? ["The kernel refused clients with RST: no socket listened there any more. A full queue never does that."]
        : []),
      ...(reset > 0 ? ["Connections were reset: the server closed them, or it closed its listener."] : []),
      ...(resends > 0 || more.length === 0
        ? ["The kernel drops a SYN that finds the queue full. The client retransmits it after 1 s or more."]
        : []),
    ].join(" "),
  );
}

function counterRows(rise: (name: string) => number, setting: number, when: string): CheckRow[] {
  const overflows = rise("TcpExt.ListenOverflows");
  const drops = rise("TcpExt.ListenDrops");
  const cookies = rise("TcpExt.SyncookiesSent");
  return [
    row(
      `overflows ${when}`,
      `ListenOverflows ${formatNumber(overflows)}, ListenDrops ${formatNumber(drops)}`,
      overflows > 0 ? "bad" : drops > 0 ? "look" : "good",
      "Each is a SYN or final ACK that the kernel dropped; one client may count several times. In production, alert when ListenOverflows increases.",
    ),
    row(
      `SYN cookies ${when}`,
      `tcp_syncookies ${setting}, sent ${formatNumber(cookies)}`,
      cookies > 0 ? "look" : "good",
      "Without an attack, cookies mean bursts longer than the backlog. They cause phantoms, a smaller MSS and, for clients without timestamps, no window scaling and no SACK.",
    ),
  ];
}

function migrationRow(migrate: number): CheckRow {
  return row(
    "several listeners",
    `tcp_migrate_req ${migrate}`,
    migrate ? "good" : "look",
    "A listener that is closed loses the connections in its queue. Set net.ipv4.tcp_migrate_req = 1.",
  );
}

/** No row where the process's limits cannot be read. */
function descriptorRows(pid: number): CheckRow[] {
  const limit = openFiles(pid);
  if (!limit) return [];
  const { soft, open } = limit;
  const near = open !== undefined && open > 0.8 * soft;
  return [
    row(
      "descriptors",
      `limit ${formatNumber(soft)}${open === undefined ? "" : `, ${formatNumber(open)} open`}`,
      near ? "bad" : soft <= 1024 ? "look" : "good",
      "Each connection needs one. Raise LimitNOFILE or ulimit -n, and decide what the loop does at EMFILE.",
    ),
  ];
}

function openFiles(pid: number): { soft: number; open: number | undefined } | undefined {
  try {
    const soft = Number(/^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))?.[1]);
    return Number.isFinite(soft) ? { soft, open: openNow(pid) } : undefined;
  } catch {
    return undefined;
  }
}

/** undefined: the process belongs to another user */
function openNow(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

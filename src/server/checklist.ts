/** What to check before a server goes into production: its listener, its queue, a burst, its limits. */
import { readdirSync, readFileSync } from "node:fs";
import { ArgumentError, requireInteger, requireKnown } from "../errors";
import { Clients } from "../listener/clients";
import { readTable } from "../listener/sockets-table";
import { formatNumber, formatTime } from "../wording/number";
import { record, type Surroundings } from "../trace/record";

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
/** samples of the queue per second during a burst: a fast accept loop empties it at once */
const looks = 5000;
/** ms; a dropped SYN is retransmitted after 1 s and after 2 s (before Linux 6.5: 1 s and 3 s) */
const patience = 2500;

/** The listeners on the port, taken together. */
interface Listeners {
  count: number;
  /** connections in their accept queues */
  length: number;
  /** sum of their queue limits */
  limit: number;
}

/**
 * Examines the listeners on a port of this Lab. With a burst the counters are those of the burst, without one those of
 * the Lab so far.
 * @throws ArgumentError no socket listens there; LimitError more clients than this process has descriptors
 */
export async function checklist(
  surroundings: Surroundings,
  port: number,
  options: ChecklistOptions = {},
): Promise<CheckRow[]> {
  requireKnown(options, ["pid", "burst"], "checklist()");
  requireInteger(port, "port", 1, 65535);
  const { pid, burst } = options;
  const { host, sysctls, counters } = surroundings;
  const found = readTable(host, { port, states: ["LISTEN"] });
  if (found.length === 0)
    throw new ArgumentError(`No socket listens on port ${port} in this Lab.`, "Start the server first.");
  const sum = (column: "receiveQueue" | "sendQueue") => found.reduce((total, each) => total + each[column], 0);
  const listeners = { count: found.length, length: sum("receiveQueue"), limit: sum("sendQueue") };
  const before = counters.read();
  const queues = burst === undefined ? [queueNow(listeners)] : await queueInBurst(surroundings, port, listeners, burst);
  const now = counters.read();
  const rise = (name: string) => (burst === undefined ? now.get(name) : now.since(before).get(name));
  return [
    ...backlogRows(listeners, await sysctls.get("net.core.somaxconn")),
    ...queues,
    ...counterRows(
      rise,
      await sysctls.get("net.ipv4.tcp_syncookies"),
      burst === undefined ? "in this Lab so far" : "in the burst",
    ),
    ...(listeners.count > 1 ? [migrationRow(await sysctls.get("net.ipv4.tcp_migrate_req").catch(() => 0))] : []),
    ...(pid === undefined ? [] : descriptorRows(pid)),
  ];
}

function row(check: string, found: string, verdict: CheckRow["verdict"], advice: string): CheckRow {
  return { check, found, verdict, advice: verdict === "good" ? "" : advice };
}

function backlogRows({ count, limit }: Listeners, somaxconn: number): CheckRow[] {
  const each = limit / count;
  return [
    row(
      "backlog",
      `${formatNumber(each)}${count > 1 ? ` at each of ${count} listeners` : ""}`,
      each < smallBacklog ? "bad" : "good",
      "Set the backlog to the largest burst that you expect. Some languages default to 5.",
    ),
    row(
      "somaxconn",
      formatNumber(somaxconn),
      each >= somaxconn && somaxconn < 4096 ? "look" : "good",
      "The kernel may have cut the backlog down. Raise net.core.somaxconn, then call listen() again.",
    ),
  ];
}

/** bad: full (sk_acceptq_is_full() is true above the limit); look: more than half full */
function fill(length: number, { limit }: Listeners): CheckRow["verdict"] {
  if (length > limit) return "bad";
  return length > halfFull * limit ? "look" : "good";
}

/** "6 of 6": a length and the capacity, which is one more than the limit for each listener. */
function lengthOf(length: number, { limit, count }: Listeners): string {
  return `${formatNumber(length)} of ${formatNumber(limit + count)}`;
}

function queueNow(listeners: Listeners): CheckRow {
  return row(
    "accept queue now",
    lengthOf(listeners.length, listeners),
    fill(listeners.length, listeners),
    "The application does not keep up. Find out what blocks its accept loop.",
  );
}

async function queueInBurst(
  surroundings: Surroundings,
  port: number,
  listeners: Listeners,
  burst: number,
): Promise<CheckRow[]> {
  const { peak, connected, resends } = await sendBurst(surroundings, port, burst);
  const last = connected.at(-1);
  const slowest = last === undefined ? "" : `, the slowest after ${formatTime(last)}`;
  return [
    row(
      `queue in a burst of ${formatNumber(burst)}, at most`,
      lengthOf(peak, listeners),
      fill(peak, listeners),
      "The burst fills the queue. Use a longer backlog, or a loop that only accepts.",
    ),
    row(
      "time to connect in it",
      `${formatNumber(connected.length)} connected${slowest}; SYNs retransmitted: ${formatNumber(resends)}`,
      resends > 0 || connected.length < burst ? "bad" : "good",
      "The kernel drops a SYN that finds the queue full. The client retransmits it after 1 s or more.",
    ),
  ];
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

/**
 * A burst of clients.
 * @returns the longest accept queue, the ms to connect of the clients that connected (ascending), and the retransmitted
 * SYNs
 */
async function sendBurst(
  surroundings: Surroundings,
  port: number,
  clients: number,
): Promise<{ peak: number; connected: Float64Array; resends: number }> {
  const { host } = surroundings;
  const recording = await record(surroundings, port, { hz: looks, counters: [] });
  try {
    const crowd = await Clients.start(
      host,
      { address: "127.0.0.1", port, roundTrip: 0, spreadSources: true },
      { clients, quiet: 50 },
      () => undefined,
    );
    await crowd.settled({ timeout: patience });
    const seen = { connected: crowd.connected(), resends: crowd.resends().reduce((sum, each) => sum + each, 0) };
    await crowd.close();
    return { peak: (await recording.stop()).summary().get("acceptQueue").max, ...seen };
  } finally {
    await recording.stop();
  }
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

/** What to look at before a server goes into production: its listener, its queue, a burst, its limits. */
import { readdirSync, readFileSync } from "node:fs";
import { ArgumentError, requireInteger, requireKnown } from "../errors";
import { Clients } from "../listener/clients";
import { readTable } from "../listener/sockets-table";
import { formatNumber, formatTime } from "../wording/number";
import { record, type Surroundings } from "../trace/record";

export interface CheckRow {
  check: string;
  /** what was found */
  found: string;
  verdict: "good" | "look" | "bad";
  /** what to do about it; "" where nothing need be done */
  advice: string;
}

export interface ChecklistOptions {
  /** the server's process, for its limit of descriptors; left out, that row is missing */
  pid?: number;
  /** so many clients come in one moment over loopback, say nothing and go away again; left out, nobody comes */
  burst?: number;
}

const halfFull = 0.5;
const smallBacklog = 128;
/** looks at the queue a second during a burst: whoever accepts fast leaves little to see */
const looks = 5000;
/** ms; a SYN that was dropped comes again after one second and after two */
const patience = 2500;

/**
 * Examines whoever listens on a port of this Lab. With a burst the counters are those of the burst, without one those of the Lab so far.
 * @throws ArgumentError nobody listens there; LimitError more clients than this process has descriptors
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
  const listeners = readTable(host, { port, states: ["LISTEN"] });
  if (listeners.length === 0)
    throw new ArgumentError(`Nobody listens on port ${port} in this Lab.`, "Start the server first.");
  const rows: CheckRow[] = [];
  const add = (check: string, found: string, verdict: CheckRow["verdict"], advice: string) =>
    rows.push({ check, found, verdict, advice: verdict === "good" ? "" : advice });
  const somaxconn = await sysctls.get("net.core.somaxconn");
  const [queue, most] = listeners.reduce(
    ([length, maximum], { receiveQueue, sendQueue }) => [length + receiveQueue, maximum + sendQueue],
    [0, 0],
  );
  const each = most / listeners.length;
  const fill = (length: number) => (length > most ? "bad" : length > halfFull * most ? "look" : "good");
  const room = most + listeners.length;

  add(
    "backlog",
    `${formatNumber(each)}${listeners.length > 1 ? ` at each of ${listeners.length} listeners` : ""}`,
    each < smallBacklog ? "bad" : "good",
    "Ask for as many as the largest burst whose end you can promise; the default of your language may be 5.",
  );
  add(
    "somaxconn",
    formatNumber(somaxconn),
    each >= somaxconn && somaxconn < 4096 ? "look" : "good",
    "The kernel may have cut the backlog down: raise net.core.somaxconn, then listen again.",
  );
  const before = counters.read();
  let when = "in this Lab so far";
  if (burst === undefined) {
    add(
      "accept queue now",
      `${formatNumber(queue)} of ${formatNumber(room)}`,
      fill(queue),
      "The application does not keep up: look for what blocks its accept loop.",
    );
  } else {
    when = "in the burst";
    const { peak, connected, resends } = await sendBurst(surroundings, port, burst);
    add(
      `queue in a burst of ${formatNumber(burst)}, at most`,
      `${formatNumber(peak)} of ${formatNumber(room)}`,
      fill(peak),
      "A burst has no room to spare: a longer backlog, or a loop that does nothing but accept.",
    );
    const slowest = connected.length > 0 ? `, the slowest after ${formatTime(connected[connected.length - 1])}` : "";
    add(
      "time to connect in it",
      `${formatNumber(connected.length)} connected${slowest}; SYNs sent again: ${formatNumber(resends)}`,
      resends > 0 || connected.length < burst ? "bad" : "good",
      "A SYN that finds no room is dropped, and its client waits for a timer of a second and more.",
    );
  }
  const now = counters.read();
  const rise = (name: string) => (burst === undefined ? now.get(name) : now.since(before).get(name));
  const overflows = rise("TcpExt.ListenOverflows");
  const drops = rise("TcpExt.ListenDrops");
  add(
    `overflows ${when}`,
    `ListenOverflows ${formatNumber(overflows)}, ListenDrops ${formatNumber(drops)}`,
    overflows > 0 ? "bad" : drops > 0 ? "look" : "good",
    "Each is a client that was made to wait, or a phantom. In production, alert whenever ListenOverflows grows.",
  );
  const cookies = rise("TcpExt.SyncookiesSent");
  add(
    `SYN cookies ${when}`,
    `tcp_syncookies ${await sysctls.get("net.ipv4.tcp_syncookies")}, sent ${formatNumber(cookies)}`,
    cookies > 0 ? "look" : "good",
    "Sent without an attack they mean bursts longer than the backlog: connections without window scaling, and phantoms.",
  );
  if (listeners.length > 1) {
    const migrate = await sysctls.get("net.ipv4.tcp_migrate_req").catch(() => 0);
    add(
      "several listeners",
      `tcp_migrate_req ${migrate}`,
      migrate ? "good" : "look",
      "A listener that closes takes its queue with it: set net.ipv4.tcp_migrate_req = 1.",
    );
  }
  const limit = pid === undefined ? undefined : openFiles(pid);
  if (limit) {
    const open = limit.open === undefined ? "" : `, ${formatNumber(limit.open)} open`;
    const near = limit.open !== undefined && limit.open > 0.8 * limit.soft;
    add(
      "descriptors",
      `limit ${formatNumber(limit.soft)}${open}`,
      near ? "bad" : limit.soft <= 1024 ? "look" : "good",
      "One for each connection: raise LimitNOFILE or ulimit -n, and decide what the loop does at EMFILE.",
    );
  }
  return rows;
}

/** Clients that all come in one moment: how long the queue was at most, ms to connect of those that did (ascending), and SYNs sent again. */
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
    const seen = { connected: crowd.connected(), resends: crowd.resends().reduce((sum, count) => sum + count, 0) };
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

/** undefined: another user's process */
function openNow(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

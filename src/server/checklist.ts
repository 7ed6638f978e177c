/** What to look at before a server goes into production: its listener, its queue, its limits. */
import { readdirSync, readFileSync } from "node:fs";
import { ArgumentError, requireInteger } from "../errors";
import { CounterFiles } from "../lab/counters";
import type { LabHost } from "../lab/host";
import type { Sysctls } from "../lab/sysctls";
import { readTable } from "../listener/sockets-table";

export interface CheckRow {
  check: string;
  /** what was found */
  found: string;
  verdict: "good" | "look" | "bad";
  /** what to do about it; "" where nothing need be done */
  advice: string;
}

const halfFull = 0.5;
const smallBacklog = 128;

/**
 * Examines whoever listens on a port of this Lab.
 * @param pid the server's process, for its limit of descriptors; left out, that row is missing
 * @throws ArgumentError nobody listens there
 */
export async function checklist(host: LabHost, sysctls: Sysctls, counters: CounterFiles, port: number, pid?: number): Promise<CheckRow[]> {
  requireInteger(port, "port", 1, 65535);
  const listeners = readTable(host, { port, states: ["LISTEN"] });
  if (listeners.length === 0) throw new ArgumentError(`Nobody listens on port ${port} in this Lab.`, "Start the server first.");
  const rows: CheckRow[] = [];
  const add = (check: string, found: string, verdict: CheckRow["verdict"], advice = "") => rows.push({ check, found, verdict, advice: verdict === "good" ? "" : advice });
  const somaxconn = await sysctls.get("net.core.somaxconn");
  const [queue, most] = listeners.reduce(([length, maximum], { receiveQueue, sendQueue }) => [length + receiveQueue, maximum + sendQueue], [0, 0]);
  const each = most / listeners.length;

  add("backlog", `${each.toLocaleString("en")}${listeners.length > 1 ? ` at each of ${listeners.length} listeners` : ""}`, each < smallBacklog ? "bad" : "good", "Ask for as many as the largest burst whose end you can promise; the default of your language may be 5.");
  add("somaxconn", String(somaxconn), each >= somaxconn && somaxconn < 4096 ? "look" : "good", "The kernel may have cut the backlog down: raise net.core.somaxconn, then listen again.");
  add("accept queue now", `${queue} of ${most + listeners.length}`, queue > most ? "bad" : queue > halfFull * most ? "look" : "good", "The application does not keep up: look for what blocks its accept loop.");
  const now = counters.read();
  const overflows = now.get("TcpExt.ListenOverflows");
  const drops = now.get("TcpExt.ListenDrops");
  add("overflows in this Lab so far", `ListenOverflows ${overflows}, ListenDrops ${drops}`, overflows > 0 ? "bad" : drops > 0 ? "look" : "good", "Each is a client that was made to wait, or a phantom. Alert on the first derivative of ListenOverflows.");
  const cookies = now.get("TcpExt.SyncookiesSent");
  add("SYN cookies", `tcp_syncookies ${await sysctls.get("net.ipv4.tcp_syncookies")}, sent ${cookies}`, cookies > 0 ? "look" : "good", "Sent without an attack they mean bursts longer than the backlog: connections without window scaling, and phantoms.");
  if (listeners.length > 1) {
    const migrate = await sysctls.get("net.ipv4.tcp_migrate_req").catch(() => 0);
    add("several listeners", `tcp_migrate_req ${migrate}`, migrate ? "good" : "look", "A listener that closes takes its queue with it: set net.ipv4.tcp_migrate_req = 1, or drain before closing.");
  }
  const limit = pid === undefined ? undefined : openFiles(pid);
  if (limit) {
    const open = limit.open === undefined ? "" : `, ${limit.open} open`;
    const near = limit.open !== undefined && limit.open > 0.8 * limit.soft;
    add("descriptors", `limit ${limit.soft.toLocaleString("en")}${open}`, near ? "bad" : limit.soft <= 1024 ? "look" : "good", "One for each connection: raise LimitNOFILE or ulimit -n, and decide what the loop does at EMFILE.");
  }
  return rows;
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

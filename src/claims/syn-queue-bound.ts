/** Claims 5 and 48: what limits the SYN queue. */
import { ArgumentError } from "../errors";
import type { Lab } from "../front-door";
import { formatNumber } from "../wording/number";
import { claim } from "./claim";
import { count, list } from "./evidence";
import { inLab } from "./experiment";

/** Settings of one measurement, and how many requests the SYN queue held after more SYNs. */
export interface SynQueueBound {
  /** the argument of listen(2) */
  backlog: number;
  /** net.core.somaxconn */
  somaxconn: number;
  /** net.ipv4.tcp_max_syn_backlog */
  maxSynBacklog: number;
  /** net.ipv4.tcp_syncookies */
  cookies: number;
  /** SYNs that were sent */
  syns: number;
  /** requests in the SYN queue afterwards */
  synQueue: number;
}

const surplus = 1000;

/**
 * Sends 1,000 SYNs more than min(backlog, somaxconn) to a new listener. Sets somaxconn, tcp_max_syn_backlog and tcp_syncookies.
 * @throws LabError a sysctl cannot be set, or the flood cannot be sent
 */
export async function measureBound(
  lab: Lab,
  settings: Omit<SynQueueBound, "syns" | "synQueue">,
): Promise<SynQueueBound> {
  const { backlog, somaxconn, maxSynBacklog, cookies } = settings;
  await lab.sysctl.set({
    "net.core.somaxconn": somaxconn,
    "net.ipv4.tcp_max_syn_backlog": maxSynBacklog,
    "net.ipv4.tcp_syncookies": cookies,
  });
  const listener = await lab.listen({ backlog });
  const syns = Math.min(backlog, somaxconn) + surplus;
  const flood = await lab.flood(listener, { count: syns });
  await flood.finished({ quiet: 20 });
  const { synQueue } = listener;
  // requests would stay for some seconds, and make each dump of the table slower
  await flood.reset();
  await flood.close();
  await listener.close();
  return { ...settings, syns, synQueue };
}

async function bounds() {
  return inLab({}, async (lab) => {
    const usual = { somaxconn: 4096, maxSynBacklog: 4096, cookies: 1 };
    const rows: SynQueueBound[] = [];
    for (const backlog of [1, 16, 128, 512, 2000]) rows.push(await measureBound(lab, { backlog, ...usual }));
    for (const cookies of [0, 1])
      rows.push(await measureBound(lab, { backlog: 2000, somaxconn: 4096, maxSynBacklog: 256, cookies }));
    return { rows };
  });
}

const rowsField = list("measurements, each of one listener", {
  backlog: count("the argument of listen(2)"),
  somaxconn: count("net.core.somaxconn"),
  maxSynBacklog: count("net.ipv4.tcp_max_syn_backlog"),
  cookies: count("net.ipv4.tcp_syncookies"),
  syns: count("SYNs that were sent"),
  synQueue: count("requests in the SYN queue afterwards"),
});

function words({ backlog, maxSynBacklog, cookies, synQueue }: SynQueueBound): string {
  return `backlog ${formatNumber(backlog)}, tcp_max_syn_backlog ${formatNumber(maxSynBacklog)}, tcp_syncookies ${cookies}: ${formatNumber(synQueue)}`;
}

/** The first of each kind, and how many there were in all. */
function few(rows: readonly SynQueueBound[], kind: (row: SynQueueBound) => unknown): string {
  const first = rows.filter((row, at) => rows.findIndex((other) => kind(other) === kind(row)) === at);
  return `${first.map(words).join("; ")}${first.length < rows.length ? ` (and ${rows.length - first.length} more measurements)` : ""}`;
}

/**
 * Claim 5: how many requests the SYN queue holds with several backlogs. The experiment calls measureBound(). Source:
 * inet_csk_reqsk_queue_is_full().
 * @throws ArgumentError judge(): no two different backlogs with full SYN queues
 */
export const synQueueSize = claim({
  number: 5,
  section: "Part 1",
  statement: "The SYN queue holds 1024 connections and more, whatever the backlog is.",
  quote: "Size: 1024+ (system dependent)",
  notebook: "07",
  evidence: { rows: rowsField },
  experiment: (once) => once(bounds),
  judge({ rows }) {
    const full = rows.filter(({ syns, synQueue }) => synQueue < syns);
    if (new Set(full.map(({ backlog }) => backlog)).size < 2)
      throw new ArgumentError("Two different backlogs with full SYN queues are needed.", "Measure more backlogs.");
    const measured = few(full, ({ backlog }) => backlog);
    const kernel = "inet_csk_reqsk_queue_is_full()";
    if (full.every(({ synQueue }) => synQueue >= 1024))
      return { verdict: "holds", measured, why: "Each SYN queue held at least 1024 requests.", kernel };
    const follows = full.filter(
      ({ backlog, somaxconn, synQueue }) => Math.abs(synQueue - Math.min(backlog, somaxconn)) <= 1,
    ).length;
    return {
      verdict: "false",
      measured,
      why: `The backlog limits this queue, too: ${follows} of ${full.length} held min(backlog, somaxconn), plus or minus one. The kernel compares the number of requests with the limit of the accept queue (sk_max_ack_backlog).`,
      kernel,
    };
  },
});

/**
 * Claim 48: whether tcp_max_syn_backlog limits the SYN queue. The experiment is that of claim 5, with SYN cookies on
 * and off. Source: tcp_conn_request().
 * @throws ArgumentError judge(): the backlog is the smaller limit in every measurement
 */
export const maxSynBacklogBinds = claim({
  number: 48,
  section: "Part 4",
  statement: "net.ipv4.tcp_max_syn_backlog is the limit of the SYN queue.",
  quote: "Max connections in SYN queue",
  notebook: "07",
  evidence: { rows: rowsField },
  experiment: (once) => once(bounds),
  judge({ rows }) {
    // where another limit is smaller, the measurement says nothing about this one
    const telling = rows.filter(
      ({ backlog, somaxconn, maxSynBacklog }) => Math.min(backlog, somaxconn) > maxSynBacklog,
    );
    if (telling.length === 0)
      throw new ArgumentError(
        "In all of these measurements the backlog is the smaller limit.",
        "Measure with a tcp_max_syn_backlog below backlog and somaxconn.",
      );
    const bound = telling.filter(({ maxSynBacklog, synQueue }) => synQueue <= maxSynBacklog + 1);
    const measured = few(telling, ({ cookies }) => cookies);
    const kernel = "tcp_conn_request()";
    if (bound.length === 0)
      return {
        verdict: "false",
        measured,
        why: "The setting limits nothing here: with SYN cookies on, the kernel does not use it.",
        kernel,
      };
    const share = bound.map(({ maxSynBacklog, synQueue }) => synQueue / maxSynBacklog);
    if (bound.length === telling.length && share.every((each) => Math.abs(each - 1) < 0.05))
      return { verdict: "holds", measured, why: "The SYN queue ended at this setting.", kernel };
    return {
      verdict: "depends",
      measured,
      why: "The setting counts only while SYN cookies are off, and then only three quarters of it. The kernel keeps the last quarter for client addresses whose round-trip time it already knows (tcp_peer_is_proven()).",
      kernel,
    };
  },
});

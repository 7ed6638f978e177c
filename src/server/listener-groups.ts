/** The listeners of a port, put together as the kernel does: those that share one address share its clients. */
import { requireInteger } from "../errors";
import type { LabHost } from "../lab/host";
import { overLoopback, type Listens } from "../listener/reach";
import { bracketed, readTable, type SocketRow } from "../listener/sockets-table";
import type { Endpoint } from "../native";

/** One accept queue: its length and its limit, connections. Its capacity is one more than the limit. */
export interface Queue {
  length: number;
  limit: number;
}

/**
 * The listeners with one address and port. Several share it by SO_REUSEPORT. A listener on 0.0.0.0 and one on [::] with
 * IPV6_V6ONLY are two groups: they never get each other's clients.
 */
export interface ListenerGroup {
  address: string;
  /** "0.0.0.0:8080", "[::]:8080" */
  name: string;
  /** at least one */
  queues: readonly Queue[];
}

/** The groups on a port, IPv4 first; none if no socket listens there. */
export function listenerGroups(host: LabHost, port: number): ListenerGroup[] {
  const groups = new Map<string, SocketRow[]>();
  for (const row of readTable(host, { port: requireInteger(port, "port", 1, 65535), states: ["LISTEN"] })) {
    const key = `${row.family} ${row.local.address}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((rows) => ({
    address: rows[0]?.local.address ?? "",
    name: rows[0] ? bracketed(rows[0].local) : "",
    queues: rows.map(({ receiveQueue, sendQueue }) => ({ length: receiveQueue, limit: sendQueue })),
  }));
}

/**
 * Where clients over loopback connect to, and the group that gets them: the kernel prefers the exact address to the
 * wildcards, and IPv4 sockets to IPv6 ones (inet_lookup_listener(), compute_score()).
 * @throws ArgumentError only IPv6 sockets listen there
 */
export function groupReached(
  host: LabHost,
  to: Listens,
  groups: readonly ListenerGroup[],
): { target: Endpoint; group: ListenerGroup | undefined } {
  const target = overLoopback(host, to);
  const byAddress = (address: string) => groups.find((each) => each.address === address);
  const { address } = target;
  const group = byAddress(address) ?? byAddress(`::ffff:${address}`) ?? byAddress("0.0.0.0") ?? byAddress("::");
  return { target, group };
}

/** Sum over the queues of a group. */
export function total({ queues }: ListenerGroup, of: (queue: Queue) => number): number {
  return queues.reduce((sum, queue) => sum + of(queue), 0);
}

/** The queue that is fullest for its size. */
export function fullestOf({ queues }: ListenerGroup): Queue {
  return queues.reduce((fullest, each) =>
    each.length * (fullest.limit + 1) > fullest.length * (each.limit + 1) ? each : fullest,
  );
}

/**
 * Three limits in a row: the descriptors, then the accept queue, which holds one more than its limit. The kernel drops the SYNs of all
 * other clients. An accept() that fails takes no connection off the queue.
 */
export function budgetConnections({
  nofile,
  open,
  backlog,
  clients,
}: {
  nofile: number;
  open: number;
  backlog: number;
  clients: number;
}): { accepted: number; waiting: number; outside: number } {
  const accepted = Math.min(clients, nofile - open);
  const waiting = Math.min(clients - accepted, Math.min(backlog, 4096) + 1);
  return { accepted, waiting, outside: clients - accepted - waiting };
}

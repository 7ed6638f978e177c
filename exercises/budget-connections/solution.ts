/**
 * Three bounds in a row: descriptors, then the accept queue with one more than its maximum, and whoever comes then is left with SYNs that
 * nobody answers. A failed accept() takes nothing out of the queue.
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

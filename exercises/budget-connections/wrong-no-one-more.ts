// forgets that one more than the limit fits
// fails: an accept queue that overflows
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
  const waiting = Math.min(clients - accepted, backlog);
  return { accepted, waiting, outside: clients - accepted - waiting };
}

// forgets the descriptors that are open already
// fails: a process that runs out of descriptors
export function budgetConnections({
  nofile,
  backlog,
  clients,
}: {
  nofile: number;
  open: number;
  backlog: number;
  clients: number;
}): { accepted: number; waiting: number; outside: number } {
  const accepted = Math.min(clients, nofile);
  const waiting = Math.min(clients - accepted, backlog + 1);
  return { accepted, waiting, outside: clients - accepted - waiting };
}

// thinks that a failed accept() loses the connection
// fails: a process that runs out of descriptors
export function budgetConnections({
  nofile,
  open,
  clients,
}: {
  nofile: number;
  open: number;
  backlog: number;
  clients: number;
}): { accepted: number; waiting: number; outside: number } {
  const accepted = Math.min(clients, nofile - open);
  return { accepted, waiting: 0, outside: clients - accepted };
}

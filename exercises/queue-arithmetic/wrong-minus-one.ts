// takes a negative backlog for 0
// fails: a backlog of -1
export function queueArithmetic({
  backlog,
  somaxconn,
  clients,
}: {
  backlog: number;
  somaxconn: number;
  clients: number;
}): { maximum: number; waiting: number } {
  const maximum = Math.max(0, Math.min(backlog, somaxconn));
  return { maximum, waiting: Math.min(clients, maximum + 1) };
}

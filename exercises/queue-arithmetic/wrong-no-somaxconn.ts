// forgets somaxconn
// fails: a backlog above somaxconn
export function queueArithmetic({
  backlog,
  clients,
}: {
  backlog: number;
  somaxconn: number;
  clients: number;
}): { maximum: number; waiting: number } {
  return { maximum: backlog, waiting: Math.min(clients, backlog + 1) };
}

// forgets somaxconn
// fails: somaxconn as the upper bound
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

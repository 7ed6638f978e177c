// thinks that a queue is full at its maximum
// fails: one connection more than the limit
export function queueArithmetic({
  backlog,
  somaxconn,
  clients,
}: {
  backlog: number;
  somaxconn: number;
  clients: number;
}): { maximum: number; waiting: number } {
  const maximum = Math.min(backlog >>> 0, somaxconn);
  return { maximum, waiting: Math.min(clients, maximum) };
}

export function queueArithmetic({
  backlog,
  somaxconn,
  clients,
}: {
  backlog: number;
  somaxconn: number;
  clients: number;
}): { maximum: number; waiting: number } {
  return { maximum: 0, waiting: 0 };
}

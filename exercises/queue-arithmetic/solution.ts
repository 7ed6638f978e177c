/**
 * __sys_listen() cuts the backlog down to somaxconn, and does so in unsigned arithmetic: -1 is the largest number there is, not a small
 * one. sk_acceptq_is_full() asks for `length > maximum`, so that one more than the maximum fits; a backlog of 0 holds one connection.
 */
export function queueArithmetic({
  backlog,
  somaxconn,
  clients,
}: {
  backlog: number;
  somaxconn: number;
  clients: number;
}): { maximum: number; waiting: number } {
  const unsigned = backlog >>> 0;
  const maximum = Math.min(unsigned, somaxconn);
  return { maximum, waiting: Math.min(clients, maximum + 1) };
}

/**
 * __sys_listen() limits the backlog to somaxconn, in unsigned arithmetic: there -1 is the largest number. sk_acceptq_is_full() tests
 * `length > limit`, so one connection more than the limit fits, and a backlog of 0 holds one connection.
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

/**
 * With cookies, the capacity of the SYN queue decides only about memory: a SYN that does not fit is answered all the same. The SYN queue
 * has the limit of the accept queue (inet_csk_reqsk_queue_is_full()), so a small backlog keeps the budget.
 */
export function floodShield({ requests }: { floodRate: number; requests: number }): {
  backlog: number;
  sysctls: Record<string, number>;
} {
  return {
    backlog: Math.floor(requests / 2),
    sysctls: { "net.ipv4.tcp_syncookies": 1 },
  };
}

/**
 * Cookies make the size of the SYN queue a matter of memory alone: whoever does not fit is answered all the same. What bounds the queue is
 * the accept queue's maximum (inet_csk_reqsk_queue_is_full), so the backlog keeps the budget.
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

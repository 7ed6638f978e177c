// makes room for every SYN, and forgets the budget
// fails: within the memory budget
export function floodShield({ floodRate }: { floodRate: number; requests: number }): {
  backlog: number;
  sysctls: Record<string, number>;
} {
  return {
    backlog: floodRate * 8,
    sysctls: {
      "net.ipv4.tcp_syncookies": 0,
      "net.core.somaxconn": floodRate * 8,
      "net.ipv4.tcp_max_syn_backlog": floodRate * 16,
      "net.ipv4.tcp_synack_retries": 1,
    },
  };
}

// keeps the budget, and drops the honest clients
// fails: the honest clients connect
export function floodShield({ requests }: { floodRate: number; requests: number }): {
  backlog: number;
  sysctls: Record<string, number>;
} {
  return {
    backlog: requests - 1,
    sysctls: { "net.ipv4.tcp_syncookies": 0, "net.ipv4.tcp_max_syn_backlog": requests * 4 },
  };
}

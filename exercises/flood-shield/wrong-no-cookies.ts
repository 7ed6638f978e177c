// keeps the budget, and loses the honest ones
// fails: the honest clients get in
export function floodShield({ requests }: { floodRate: number; requests: number }): {
  backlog: number;
  sysctls: Record<string, number>;
} {
  return {
    backlog: requests - 1,
    sysctls: { "net.ipv4.tcp_syncookies": 0, "net.ipv4.tcp_max_syn_backlog": requests * 4 },
  };
}

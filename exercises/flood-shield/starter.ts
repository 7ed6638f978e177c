export function floodShield({ floodRate, requests }: { floodRate: number; requests: number }): {
  backlog: number;
  sysctls: Record<string, number>;
} {
  return { backlog: 128, sysctls: { "net.ipv4.tcp_syncookies": 0 } };
}

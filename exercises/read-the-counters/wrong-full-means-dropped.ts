// takes every counter of a full SYN queue for drops: TCPReqQFullDoCookies says that it was full, and that no SYN was dropped
// fails: SYN cookies
export function readTheCounters({ counters }: { counters: Record<string, number> }): string {
  const rose = (name: string) => (counters[name] ?? 0) > 0;
  if (rose("TcpExt.SyncookiesFailed")) return "bad cookies";
  if (rose("TcpExt.TCPReqQFullDrop") || rose("TcpExt.TCPReqQFullDoCookies"))
    return "syn queue full";
  if (rose("TcpExt.SyncookiesSent")) return "syn cookies";
  if (rose("TcpExt.ListenOverflows")) return "accept queue overflow";
  if (rose("Tcp.EstabResets")) return "clients reset";
  if (rose("Tcp.AttemptFails")) return "nobody listens";
  return "healthy";
}

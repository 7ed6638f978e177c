/**
 * From the particular to the general. A kernel that sends cookies counts TCPReqQFullDoCookies and SyncookiesSent. It counts a wrong cookie
 * only where it has sent cookies before, so SyncookiesFailed is tested first. ListenDrops alone decides nothing.
 */
export function readTheCounters({ counters }: { counters: Record<string, number> }): string {
  const rose = (name: string) => (counters[name] ?? 0) > 0;
  if (rose("TcpExt.SyncookiesFailed")) return "bad cookies";
  if (rose("TcpExt.SyncookiesSent")) return "syn cookies";
  if (rose("TcpExt.TCPReqQFullDrop")) return "syn queue full";
  if (rose("TcpExt.ListenOverflows")) return "accept queue overflow";
  if (rose("Tcp.EstabResets")) return "clients reset";
  if (rose("Tcp.AttemptFails")) return "nobody listens";
  return "healthy";
}

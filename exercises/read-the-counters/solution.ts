/**
 * From the particular to the general. A kernel that sends cookies counts TCPReqQFullDoCookies and SyncookiesSent; a wrong cookie can only
 * come where cookies have been sent before, so it is asked for first. ListenDrops alone would decide nothing.
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

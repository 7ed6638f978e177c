// takes the resets that the kernel sends for resets by the clients
// fails: a closed port
export function readTheCounters({ counters }: { counters: Record<string, number> }): string {
  const rose = (name: string) => (counters[name] ?? 0) > 0;
  if (rose("TcpExt.SyncookiesFailed")) return "bad cookies";
  if (rose("TcpExt.SyncookiesSent")) return "syn cookies";
  if (rose("TcpExt.TCPReqQFullDrop")) return "syn queue full";
  if (rose("TcpExt.ListenOverflows")) return "accept queue overflow";
  if (rose("Tcp.OutRsts") || rose("Tcp.EstabResets")) return "clients reset";
  if (rose("Tcp.AttemptFails")) return "nobody listens";
  return "healthy";
}

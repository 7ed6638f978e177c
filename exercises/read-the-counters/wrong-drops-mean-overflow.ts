// takes every drop for an overflow of the accept queue
// fails: a full SYN queue
export function readTheCounters({ counters }: { counters: Record<string, number> }): string {
  const rose = (name: string) => (counters[name] ?? 0) > 0;
  if (rose("TcpExt.ListenDrops")) return "accept queue overflow";
  if (rose("TcpExt.SyncookiesFailed")) return "bad cookies";
  if (rose("TcpExt.SyncookiesSent")) return "syn cookies";
  if (rose("TcpExt.TCPReqQFullDrop")) return "syn queue full";
  if (rose("Tcp.EstabResets")) return "clients reset";
  if (rose("Tcp.AttemptFails")) return "nobody listens";
  return "healthy";
}

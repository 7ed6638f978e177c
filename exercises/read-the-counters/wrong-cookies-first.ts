// looks at the cookies that were sent first, and so misses the wrong ones that came back
// fails: wrong SYN cookies
export function readTheCounters({ counters }: { counters: Record<string, number> }): string {
  const rose = (name: string) => (counters[name] ?? 0) > 0;
  if (rose("TcpExt.SyncookiesSent")) return "syn cookies";
  if (rose("TcpExt.SyncookiesFailed")) return "bad cookies";
  if (rose("TcpExt.TCPReqQFullDrop")) return "syn queue full";
  if (rose("TcpExt.ListenOverflows")) return "accept queue overflow";
  if (rose("Tcp.EstabResets")) return "clients reset";
  if (rose("Tcp.AttemptFails")) return "nobody listens";
  return "healthy";
}

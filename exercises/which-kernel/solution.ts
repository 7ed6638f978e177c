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

/**
 * Each change divides the kernels into older and newer ones. From the newest change to the oldest, the first one that was seen decides.
 * A measurement that is missing shows no change.
 */
export function whichKernel({ measured }: { measured: Measured }): string {
  const {
    synQueue,
    zeroBacklog,
    looks,
    migrated,
    somaxconn,
    retransmissions,
    capped,
    wrongEcho,
    udpLite,
  } = measured;
  const isLinear = () => {
    // without linear timeouts the third one comes 4 s after the second
    const [, second = 0, third = Infinity] = retransmissions ?? [];
    return third - second < 2500;
  };
  const hasOwnHash = () => {
    const time = (buckets: number) => looks?.find((look) => look.buckets === buckets)?.time ?? 1;
    return time(262_144) > 1.8 * time(1024);
  };
  const holdsOneMore = () => synQueue !== undefined && synQueue.held > synQueue.backlog;
  const letsOneIn = () => zeroBacklog !== undefined && zeroBacklog.waiting > 0;
  if (udpLite === false) return "7.2";
  if (Array.isArray(capped) || wrongEcho === "is dropped") return "6.18";
  if (isLinear() || somaxconn === "set" || somaxconn === "read") return "6.12";
  const migrates = migrated !== undefined && migrated !== null;
  return holdsOneMore() || letsOneIn() || migrates || hasOwnHash() ? "6.1" : "5.10";
}

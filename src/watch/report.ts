/** What a watch has seen of the listeners at one address and port: since the last look, and in an interval. */
import type { AcceptRate } from "./namespace";

/** What was seen since the last look. */
export interface Look {
  /** share of the capacity of the fullest listener's accept queue, the most since the last look, 0 to 1 */
  full: number;
  /** where that listener is: "127.0.0.1:80" */
  fullest: string;
  /** drops of the watched listeners since the watch began */
  drops: number;
  /** increase of ListenOverflows since the watch began, of the whole network namespace */
  overflows: number;
}

/** One listening socket. Several share an address and a port by SO_REUSEPORT. */
export interface SocketReport {
  inode: number;
  /** connections that wait for accept() */
  acceptQueue: number;
  /** the queue limit min(backlog, somaxconn); the capacity is one more */
  maximum: number;
  /** share of the capacity, 0 to 1 */
  full: number;
  /** SYNs and final ACKs that the kernel has dropped at it since the watch began (sk_drops) */
  dropsEver: number;
  /** "nginx (1234)"; undefined if /proc does not show it to this user */
  heldBy?: string;
}

/** What the kernel counts for all listeners of the network namespace together. */
export interface NamespaceReport {
  /** addresses and ports with a TCP listener */
  listening: number;
  /** handshakes completed per second (Tcp.PassiveOpens) */
  handshakeRate: number;
  /** connections accepted per second; null if a listener was closed in this interval */
  acceptRate: number | null;
  /** increase in this interval: ListenOverflows, ListenDrops, SyncookiesSent */
  overflows: number;
  drops: number;
  cookies: number;
  /** increase since the watch began */
  overflowsEver: number;
  dropsEver: number;
  cookiesEver: number;
}

/**
 * One interval of the listeners at one address and port. All figures are theirs, except those of `namespace` and
 * `cost`.
 */
export interface Report {
  /** s since the watch began */
  time: number;
  /** address and port: "127.0.0.1:80", "[::1]:443" */
  listener: string;
  port: number;
  /** versions of IP whose connections it accepts */
  ip: "v4" | "v6" | "v4+v6";
  /** mptcp: the TCP listener of an MPTCP socket; its accept queue holds the MPTCP connections */
  protocol: "tcp" | "mptcp";
  /**
   * sockets that share address and port (SO_REUSEPORT); 0: no socket listens there now, and the other figures are null
   */
  listeners: number;
  /** s: while no socket listens there, since when */
  absent?: number;
  /** connections now, summed over the sockets */
  acceptQueue: number | null;
  /** the queue limits min(backlog, somaxconn), summed over the sockets */
  maximum: number | null;
  /** connections that fit: the capacity of each socket is its limit + 1 (sk_acceptq_is_full()) */
  places: number | null;
  /**
   * the socket that is fullest for its size: its accept queue now, its queue limit, and its share of the capacity, 0 to
   * 1
   */
  fullest: number | null;
  fullestMaximum: number | null;
  full: number | null;
  /** longest accept queue in this interval, and since the watch began; of several sockets their sum */
  peak: number;
  peakEver: number;
  /** requests that the kernel's lookup gives to this address; counted as often as 1 % of a core allows */
  synQueue: number | null;
  synQueuePeak: number;
  /**
   * SYNs and final ACKs that the kernel has dropped at these sockets (sk_drops, tcp_listendrop()): in this interval,
   * and since the watch began
   */
  drops: number;
  dropsEver: number;
  /** connections accepted per second; null: not known, and `acceptRateUnknown` says why */
  acceptRate: number | null;
  acceptRateUnknown?: string;
  /** each socket by itself */
  queues: SocketReport[];
  namespace: NamespaceReport;
  /** share of a core that watching has used in this interval: threads and process */
  cost: number;
}

/** Something that happened to a listener. */
export interface WatchEvent {
  /** s since the watch began */
  time: number;
  event: "waiting" | "listening" | "closed" | "changed";
  /** address and port */
  listener: string;
  /** a sentence */
  detail: string;
}

/** The rate as the fields of a report. */
export function rateFields(rate: AcceptRate): Pick<Report, "acceptRate" | "acceptRateUnknown"> {
  return "unknown" in rate ? { acceptRate: null, acceptRateUnknown: rate.unknown } : { acceptRate: rate.rate };
}

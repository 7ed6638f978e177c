/** What a watch of a port has seen: since the last look, and in an interval. */

/** What was seen since the last look. */
export interface Look {
  /** share of the capacity of the fullest listener's accept queue, the most since the last look, 0 to 1 */
  full: number;
  /** increase of ListenOverflows since the watch began, of the whole network namespace */
  overflows: number;
}

/** One interval. Counts of handshakes and drops belong to the whole network namespace: the kernel has none for one listener. */
export interface Report {
  /** s since the watch began */
  time: number;
  /** sockets that share the port */
  listeners: number;
  /** connections now, summed over the listeners */
  acceptQueue: number;
  /** the queue limits min(backlog, somaxconn), summed over the listeners */
  maximum: number;
  /** connections that fit: the capacity of each listener is its limit + 1 (sk_acceptq_is_full()) */
  places: number;
  /** the listener that is fullest for its size: its accept queue now, its queue limit, and its share of the capacity, 0 to 1 */
  fullest: number;
  fullestMaximum: number;
  full: number;
  /** longest accept queue in this interval, and since the watch began */
  peak: number;
  peakEver: number;
  /** requests; counted as often as 1 % of a core allows */
  synQueue: number;
  synQueuePeak: number;
  /** handshakes completed per second (Tcp.PassiveOpens) */
  handshakeRate: number;
  /** connections accepted per second: handshakes completed less the growth of this queue */
  acceptRate: number;
  /** increase in this interval: ListenOverflows, ListenDrops, SyncookiesSent */
  overflows: number;
  drops: number;
  cookies: number;
  /** increase since the watch began */
  overflowsEver: number;
  dropsEver: number;
  cookiesEver: number;
  /** share of a core that watching has used in this interval: thread and process */
  cost: number;
}

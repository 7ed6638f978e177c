/** The states of a client. Indexes of ClientThread.counts() and of SamplerRows.clients.columns. */
export const ClientState = {
  idle: 0,
  synSent: 1,
  established: 2,
  refused: 3,
  timedOut: 4,
  reset: 5,
  /** the server ended it with FIN */
  closedByServer: 6,
  /** we closed or reset it */
  closed: 7,
  failed: 8,
} as const;
/** the number of states in ClientState */
export const clientStates = 9;

/** How a thread drives its clients. */
export interface ClientThreadOptions {
  /** non-blocking unconnected TCP sockets; owned by the thread from now on */
  fds: Int32Array;
  /** the listener's IPv4 address */
  address: string;
  /** the listener's port */
  port: number;
  /** local addresses bound (IP_BIND_ADDRESS_NO_PORT) to the sockets in turn; empty: the kernel chooses */
  sources: string[];
  /** connects per second, evenly spaced; 0: as fast as one thread can */
  rate: number;
  /** or the moment of each connect(), ms after start(), ascending, one per fd */
  schedule?: Float64Array;
}

/** A thread that calls connect() for real kernel clients and follows their states (epoll). */
export interface ClientThread {
  /** the number of clients */
  readonly length: number;
  /** CLOCK_MONOTONIC ms of start() */
  readonly startedAt: number;
  /** Starts the thread. @throws EAGAIN */
  start(): void;
  /** clients in each ClientState, length 9 */
  counts(): Uint32Array;
  /** the ClientState of each client, a copy; length: `length`, as of all arrays below */
  states(): Uint8Array;
  /** ms after start() at which connect() was called; NaN: not yet */
  connectAt(): Float64Array;
  /** ms from connect() to ESTABLISHED; NaN: not (yet) */
  latency(): Float64Array;
  /** ms after start() of the last change of state; NaN: none */
  changedAt(): Float64Array;
  /** errno that ended each client, 0 if none */
  errnos(): Int32Array;
  /** bytes that each client has received */
  bytesReceived(): Float64Array;
  /** bound and connected local port; 0 until known */
  localPorts(): Uint16Array;
  /**
   * Lets the thread send `data` on the given clients (indexes; null: all). It leaves out clients that are not
   * ESTABLISHED, and clients whose send buffer cannot take all of `data`. Resolves to the number of clients that sent
   * it.
   */
  send(which: Int32Array | null, data: Uint8Array): Promise<number>;
  /** close(2) of the given clients (FIN). Resolves to the number of clients that it closed. */
  close(which: Int32Array | null): Promise<number>;
  /** close(2) of the given clients with SO_LINGER 0 (RST). Resolves to the number of clients that it reset. */
  reset(which: Int32Array | null): Promise<number>;
  /** shutdown(2) with SHUT_WR of the given clients (FIN). Resolves to the number of clients that it shut down. */
  shutdown(which: Int32Array | null): Promise<number>;
  /**
   * Takes a client's descriptor from the thread. The caller owns it then, and the client keeps its last state. -1 if it
   * is closed.
   */
  release(index: number): number;
  /** descriptor numbers, for TCP_INFO; -1 where closed. Still owned by the thread. */
  fds(): Int32Array;
  /** Joins the thread and closes the fds it owns, off the JavaScript thread. Idempotent. */
  stop(): Promise<void>;
}

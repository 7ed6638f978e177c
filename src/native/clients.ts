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
export const clientStates = 9;

export interface ClientThreadOptions {
  /** non-blocking unconnected TCP sockets; owned by the thread from now on */
  fds: Int32Array;
  address: string;
  port: number;
  /** local addresses bound (IP_BIND_ADDRESS_NO_PORT) to the sockets in turn; empty: the kernel chooses */
  sources: string[];
  /** connects per second, evenly spaced; 0: as fast as one thread can */
  rate: number;
  /** or the moment of each connect(), ms after start(), ascending, one per fd */
  schedule?: Float64Array;
}

/** A thread that drives real kernel clients through connect() and watches what becomes of them (epoll). */
export interface ClientThread {
  readonly length: number;
  /** CLOCK_MONOTONIC ms of start() */
  readonly startedAt: number;
  start(): void;
  /** clients in each ClientState, length 9 */
  counts(): Uint32Array;
  states(): Uint8Array;
  /** ms after start() at which connect() was called; NaN: not yet */
  connectAt(): Float64Array;
  /** ms from connect() to ESTABLISHED; NaN: not (yet) */
  latency(): Float64Array;
  /** ms after start() of the last change of state; NaN: none */
  changedAt(): Float64Array;
  /** errno that ended each client, 0 if none */
  errnos(): Int32Array;
  bytesReceived(): Float64Array;
  /** bound and connected local port; 0 until known */
  localPorts(): Uint16Array;
  /** Queue an action for the given clients (all if null); the thread carries it out. Clients in no state for it are left out, and so is one whose buffer cannot take all of `data`. Resolves to how many did it. */
  send(which: Int32Array | null, data: Uint8Array): Promise<number>;
  close(which: Int32Array | null): Promise<number>;
  /** close with SO_LINGER 0: RST */
  reset(which: Int32Array | null): Promise<number>;
  shutdown(which: Int32Array | null): Promise<number>;
  /** Take an fd out of the thread's hands; the caller owns it, and the client stays in the state it is in. -1 if it is closed. */
  release(index: number): number;
  /** descriptor numbers, for TCP_INFO; -1 where closed. Still owned by the thread. */
  fds(): Int32Array;
  /** Joins the thread and closes the fds it owns, off the JavaScript thread. Idempotent. */
  stop(): Promise<void>;
}

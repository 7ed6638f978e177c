export interface AcceptorOptions {
  listenerFd: number;
  /** connections accepted per second, evenly spaced; 0: as fast as possible */
  rate: number;
  /** ends by itself after this many connections; 0: no limit */
  limit: number;
  /** keep: hand descriptors over; close: close each at once */
  mode: "keep" | "close";
  /** Batches of accepted descriptors, at most every few ms. Called with an empty array once, when the loop has ended. */
  onBatch: (fds: Int32Array) => void;
}

/** A thread that runs epoll_wait + accept4. */
export interface Acceptor {
  start(): void;
  pause(): void;
  resume(): void;
  setRate(rate: number): void;
  stats(): {
    accepted: number;
    /** EMFILE, ENFILE, ENOBUFS, ENOMEM answers; the loop waits 10 ms after each, it never spins */
    exhausted: number;
    wakeups: number;
    running: boolean;
    paused: boolean;
    /** errno that ended the loop, 0 if none */
    error: number;
  };
  /** Joins the thread; descriptors not yet handed over are delivered by a last onBatch. Idempotent. */
  stop(): Promise<void>;
}

/** How an accept thread works. */
export interface AcceptorOptions {
  /** the listening socket; the caller keeps it and closes it after stop() */
  listenerFd: number;
  /** connections accepted per second, evenly spaced; 0: as fast as possible */
  rate: number;
  /** the thread ends after this many connections; 0: no limit */
  limit: number;
  /** "keep": onBatch gets the descriptors; "close": the thread closes each connection at once */
  mode: "keep" | "close";
  /**
   * Gets the accepted descriptors in batches, at most every few ms. The last call has an empty array: the thread has
   * ended.
   */
  onBatch: (fds: Int32Array) => void;
}

/** A thread that runs epoll_wait + accept4. */
export interface Acceptor {
  /** Starts the thread. @throws EAGAIN */
  start(): void;
  /** Accepts nothing more until resume(). */
  pause(): void;
  /** Goes on after pause(). */
  resume(): void;
  /** @param rate connections per second, as in AcceptorOptions */
  setRate(rate: number): void;
  /** Counts since start(). */
  stats(): {
    /** connections accepted */
    accepted: number;
    /** failures of accept4() with EMFILE, ENFILE, ENOBUFS or ENOMEM; the thread waits 10 ms after each */
    exhausted: number;
    /** returns of epoll_wait() */
    wakeups: number;
    /** the thread runs */
    running: boolean;
    /** pause() was called, and resume() was not */
    paused: boolean;
    /** errno that ended the thread; 0 if none */
    error: number;
  };
  /** Joins the thread. Descriptors that are left come with a last call of onBatch. Idempotent. */
  stop(): Promise<void>;
}

/** A native thread that accepts connections from a listener. */
import { ArgumentError, errnoName, LabError, requireInteger, requireKnown, requireNumber } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { type Acceptor, native } from "../native";
import { Connection } from "./connection";

const rateName = "rate (accepts per second)";

/** How an accept loop accepts, and what becomes of the connections. */
export interface AcceptLoopOptions {
  /** accepts per second, evenly spaced, 0.001 to 1,000,000; default: as fast as the thread can */
  rate?: number;
  /** the loop ends after this many connections; default: no limit */
  limit?: number;
  /** true: the thread closes each connection at once. Default false */
  close?: boolean;
  /**
   * Gets the connections in batches, and must close them. A batch waits until the call before has ended. Default: they
   * are kept in `connections`
   */
  onConnections?: (connections: Connection[]) => void | Promise<void>;
}

/** What an accept loop has done so far. */
export interface AcceptLoopStats {
  /** connections accepted */
  accepted: number;
  /** how often accept4(2) failed with EMFILE, ENFILE, ENOBUFS or ENOMEM; the loop waits 10 ms after each */
  exhausted: number;
  /** false: the thread has ended */
  running: boolean;
  /** true between pause() and resume() */
  paused: boolean;
}

/** A running accept loop; see Listener.acceptLoop(). */
export class AcceptLoop implements Closable {
  /** what it has accepted, if there is no `onConnections` */
  readonly connections: Connection[] = [];
  /**
   * Resolves when the loop has ended: by stop(), at its limit, or with the listener. Rejects with the error of
   * `onConnections`, or with a LabError of accept4(2).
   */
  readonly done: Promise<AcceptLoopStats>;
  private readonly acceptor: Acceptor;
  private settle!: { resolve(stats: AcceptLoopStats): void; reject(error: unknown): void };
  private stopping?: Promise<AcceptLoopStats>;
  private closing?: Promise<void>;
  private handled: Promise<void> = Promise.resolve();

  private constructor(
    private readonly host: LabHost,
    listenerFd: number,
    private readonly options: AcceptLoopOptions,
    private readonly onEnd: (loop: AcceptLoop) => void,
  ) {
    requireKnown(options, ["rate", "limit", "close", "onConnections"], "acceptLoop()");
    const rate = options.rate === undefined ? 0 : requireNumber(options.rate, rateName, 0.001, 1e6);
    const limit = options.limit === undefined ? 0 : requireInteger(options.limit, "limit", 1, 2 ** 31 - 1);
    if (options.onConnections !== undefined && typeof options.onConnections !== "function")
      throw new ArgumentError("onConnections must be a function.");
    this.done = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    this.acceptor = new native.Acceptor({
      listenerFd,
      rate,
      limit,
      mode: options.close ? "close" : "keep",
      onBatch: (fds) => this.onBatch(fds),
    });
    this.acceptor.start();
  }

  /** For Listener.acceptLoop(), which keeps the loop. @throws ArgumentError */
  static start(
    host: LabHost,
    listenerFd: number,
    options: AcceptLoopOptions,
    onEnd: (loop: AcceptLoop) => void,
  ): AcceptLoop {
    return new AcceptLoop(host, listenerFd, options, onEnd);
  }

  /** the thread: recordings sample its count */
  get native(): Acceptor {
    return this.acceptor;
  }

  /** connections accepted so far */
  get accepted(): number {
    return this.acceptor.stats().accepted;
  }

  /** What the loop has done so far. */
  stats(): AcceptLoopStats {
    const { accepted, exhausted, running, paused } = this.acceptor.stats();
    return { accepted, exhausted, running, paused };
  }

  /** The thread accepts nothing until resume(). */
  pause(): void {
    this.acceptor.pause();
  }

  /** The thread accepts again. */
  resume(): void {
    this.acceptor.resume();
  }

  /** @param rate accepts per second from now on; 0: as fast as the thread can @throws ArgumentError */
  setRate(rate: number): void {
    this.acceptor.setRate(requireNumber(rate, rateName, 0, 1e6));
  }

  /**
   * Ends the loop; its connections stay open. Resolves when the thread and `onConnections` have ended: do not await it
   * in `onConnections`. Idempotent.
   */
  stop(): Promise<AcceptLoopStats> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  /** Ends the loop and closes the connections that it kept. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.stop().then(() => this.closeKept());
    return this.closing;
  }

  private async closeKept(): Promise<void> {
    await Promise.all(this.connections.map((connection) => connection.close()));
  }

  private async end(): Promise<AcceptLoopStats> {
    await this.acceptor.stop();
    await this.handled;
    this.onEnd(this);
    const stats = this.stats();
    this.settle.resolve(stats);
    return stats;
  }

  private onBatch(fds: Int32Array): void {
    if (fds.length === 0) {
      const { error } = this.acceptor.stats();
      // EBADF, EINVAL: the listener was closed, an ordinary end
      if (error !== 0 && !["EBADF", "EINVAL"].includes(errnoName(error)))
        this.settle.reject(
          new LabError(`The accept loop ended: ${errnoName(error)}.`, {
            code: errnoName(error),
            errno: -error,
            syscall: "accept4",
          }),
        );
      void this.stop();
      return;
    }
    if (this.host.closed) {
      // accepted while the Lab was closing, which has closed everything that could take them
      void native.closeLater(fds);
      return;
    }
    const batch = Array.from(fds, (fd) => new Connection(this.host, fd));
    const { onConnections } = this.options;
    if (!onConnections) {
      this.connections.push(...batch);
      return;
    }
    this.handled = this.handled.then(async () => {
      try {
        await onConnections(batch);
      } catch (error) {
        this.settle.reject(error);
        void this.stop();
      }
    });
  }
}

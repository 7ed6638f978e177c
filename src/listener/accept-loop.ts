/**
 * A native thread that takes connections from a listener's accept queue.
 */
import { ArgumentError, errnoName, LabError, requireInteger, requireKnown, requireNumber } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { Acceptor, native } from "../native";
import { Connection } from "./connection";

export interface AcceptLoopOptions {
  /** accepts a second, evenly spaced; default: as fast as it can */
  rate?: number;
  /** stop by itself after so many */
  limit?: number;
  /** close each at once instead of handing it over; default false */
  close?: boolean;
  /** Gets connections in batches; they are the handler's to close. Without one they are kept in `connections`. */
  onConnections?: (connections: Connection[]) => void | Promise<void>;
}

export interface AcceptLoopStats {
  accepted: number;
  /** answers EMFILE, ENFILE, ENOBUFS, ENOMEM: the loop waits 10 ms after each */
  exhausted: number;
  running: boolean;
  paused: boolean;
}

export class AcceptLoop implements Closable {
  /** what it has accepted, where there is no handler */
  readonly connections: Connection[] = [];
  /** Resolves with the final count when the loop has ended: by stop(), its limit, or the listener's end. Rejects if the handler failed. */
  readonly done: Promise<AcceptLoopStats>;
  private readonly acceptor: Acceptor;
  private settle!: { resolve(stats: AcceptLoopStats): void; reject(error: unknown): void };
  private stopping?: Promise<AcceptLoopStats>;
  private handled: Promise<void> = Promise.resolve();

  private constructor(
    private readonly host: LabHost,
    listenerFd: number,
    private readonly options: AcceptLoopOptions,
    private readonly onEnd: (loop: AcceptLoop) => void,
  ) {
    requireKnown(options, ["rate", "limit", "close", "onConnections"], "acceptLoop()");
    const rate = options.rate === undefined ? 0 : requireNumber(options.rate, "rate (accepts a second)", 0.001, 1e6);
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

  static start(
    host: LabHost,
    listenerFd: number,
    options: AcceptLoopOptions,
    onEnd: (loop: AcceptLoop) => void,
  ): AcceptLoop {
    return new AcceptLoop(host, listenerFd, options, onEnd);
  }

  /** for recordings, which sample the count */
  get native(): Acceptor {
    return this.acceptor;
  }

  get accepted(): number {
    return this.acceptor.stats().accepted;
  }

  stats(): AcceptLoopStats {
    const { accepted, exhausted, running, paused } = this.acceptor.stats();
    return { accepted, exhausted, running, paused };
  }

  pause(): void {
    this.acceptor.pause();
  }

  resume(): void {
    this.acceptor.resume();
  }

  /** accepts a second from now on; 0: as fast as it can */
  setRate(rate: number): void {
    this.acceptor.setRate(requireNumber(rate, "rate (accepts a second)", 0, 1e6));
  }

  /** Ends the loop; what it accepted stays open. Idempotent. */
  stop(): Promise<AcceptLoopStats> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  /** Ends the loop and closes what it kept. */
  async close(): Promise<void> {
    await this.stop();
    for (const connection of this.connections) connection.close();
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
      // accepted while the Lab was closing: nobody is left to take them
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

/** A listening socket in a Lab: port, backlog, its accept queue and its SYN queue. */
import { EventEmitter } from "node:events";
import type net from "node:net";
import { ClosedError, explain, InterruptedError, LabError, requireInteger } from "../errors";
import type { LabHost } from "../lab/host";
import { whileClosing, type Closable } from "../lab/owned";
import { native } from "../native";
import { requireTimeout } from "../waiting/timeout";
import { AcceptLoop, type AcceptLoopOptions } from "./accept-loop";
import type { AcceptAllOptions, AcceptOptions } from "./accept-options";
import { Arrivals } from "./arrivals-awaited";
import { Connection } from "./connection";
import type { Burst, ListenerEvents } from "./listener-events";
import { isOpen, type ListenOptions, listenOn, openListening, requireBacklog } from "./listening";
import { type RequestFilter, SynQueue, type SynRequest } from "./syn-queue";

/** A listening socket of the Lab; see Lab.listen(). */
export class Listener extends EventEmitter<ListenerEvents> implements Closable {
  private closing?: Promise<void>;
  private readonly arrivals: Arrivals;
  private asked: number;
  private readonly readAcceptQueue: () => number;
  private readonly requests: SynQueue;
  /** clients that have connected to this listener, for recordings that start later */
  readonly bursts = new Set<Burst>();
  /** accept loops of this listener, for recordings that start later */
  readonly loops = new Set<AcceptLoop>();

  private owner: "listener" | "server" = "listener";
  private server?: net.Server;

  private constructor(
    readonly host: LabHost,
    private readonly descriptor: number,
    /** the address it is bound to */
    readonly address: string,
    /** the port it is bound to */
    readonly port: number,
    backlog: number,
  ) {
    super();
    this.asked = backlog;
    this.readAcceptQueue = native.acceptQueueReader(descriptor);
    this.arrivals = new Arrivals(descriptor);
    this.requests = new SynQueue(host, descriptor, address, port);
  }

  /**
   * socket(2), bind(2), listen(2).
   * @throws LabError EADDRINUSE, EADDRNOTAVAIL, EACCES; ERR_SYSCTL: `fastOpen` would be without effect; ArgumentError;
   *   ClosedError
   */
  static async open(host: LabHost, options: ListenOptions = {}): Promise<Listener> {
    const { fd, address, port, backlog } = await openListening(host, options);
    return host.keep(new Listener(host, fd, address, port, backlog));
  }

  /**
   * Gives the socket to a node:net server, which accepts from it and closes it from now on; this object stays as a view
   * of its queues.
   * Node calls listen(2) again, with a backlog of 511 (net.Server takes no other for a descriptor), so we set ours
   * after that.
   * @throws what server.listen() emits as an error: the server listens already, for example
   */
  async handTo(server: net.Server): Promise<this> {
    const fd = this.fd;
    const inode = native.inode(fd);
    this.owner = "server";
    const onClose = () => void this.close();
    server.once("close", onClose);
    let onError: (error: Error) => void = () => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", (onError = reject));
        server.listen({ fd }, resolve);
      });
    } catch (error) {
      server.off("close", onClose);
      // A server that listens already has not touched the socket. One that could not listen has closed it
      // (setupListenHandle in net.js).
      if (isOpen(fd, inode)) this.owner = "listener";
      await this.close();
      throw error;
    } finally {
      server.off("error", onError);
    }
    listenOn(fd, this.backlog);
    this.server = server;
    return this;
  }

  /** true from the first call of close() on */
  get closed(): boolean {
    return this.closing !== undefined;
  }

  /** The descriptor of the listening socket. @throws ClosedError */
  get fd(): number {
    this.requireOpen();
    return this.descriptor;
  }

  /** The socket's inode, as /proc/self/fd and sock_diag show it. @throws ClosedError */
  get inode(): number {
    return native.inode(this.fd);
  }

  /** the argument of the last listen(2) */
  get backlog(): number {
    return this.asked;
  }

  /** Length of the accept queue, connections. Source: sk_ack_backlog, by TCP_INFO (0.3 µs) @throws ClosedError */
  get acceptQueue(): number {
    this.requireOpen();
    return this.readAcceptQueue();
  }

  /**
   * Limit of the accept queue: min(backlog, somaxconn), which `ss -ltn` shows as Send-Q. Source: sk_max_ack_backlog
   * @throws ClosedError
   */
  get acceptMax(): number {
    return native.tcpInfo(this.fd).sacked;
  }

  /**
   * Capacity of the accept queue, connections: acceptMax + 1, because the queue is full when it is longer than its
   * limit (sk_acceptq_is_full()). With a backlog of 0 and SYN cookies off, kernels before January 2025 let no client
   * this far: their SYN queue holds no more requests than the limit (inet_csk_reqsk_queue_is_full()).
   * @throws ClosedError
   */
  get capacity(): number {
    return this.acceptMax + 1;
  }

  /**
   * Length of this listener's SYN queue: its half-open requests. Those of other listeners on the port (SO_REUSEPORT,
   * another address) are not counted, and neither are Fast Open connections, which wait in the accept queue before
   * their handshake is complete.
   * Source: a sock_diag dump of the port's requests (3.5 µs with 1024 buckets, and 0.17 µs for each request), of which
   * those count that have this listener's SO_MARK. A request that the kernel has moved here from a closed listener
   * (tcp_migrate_req) keeps the mark of that one.
   * @throws LabError ERR_UNDECIDED: others listen there, too, and the kernel does not tell this process marks (a guest
   *   in a sandbox); ClosedError
   */
  get synQueue(): number {
    this.requireOpen();
    return this.requests.length;
  }

  /**
   * This listener's half-open requests, in the order of the kernel's table. @throws LabError ERR_UNDECIDED, as
   * synQueue; ClosedError
   */
  synRequests(): SynRequest[] {
    this.requireOpen();
    return this.requests.list();
  }

  /**
   * What tells this listener's requests from others', for a Sampler. @throws LabError ERR_UNDECIDED, as synQueue;
   * ClosedError
   */
  get requestFilter(): RequestFilter {
    this.requireOpen();
    return this.requests.filter;
  }

  /**
   * The oldest connection of the accept queue; waits for one. Source: accept4(2)
   * Options: `timeout` (ms, default Infinity).
   * @throws LabError ETIMEDOUT, EMFILE, ENFILE; ArgumentError; ClosedError; InterruptedError: it was closed while
   *   accept() waited
   */
  async accept({ timeout = Infinity }: AcceptOptions = {}): Promise<Connection> {
    const deadline = native.now() + requireTimeout(timeout);
    for (;;) {
      const connection = this.tryAccept();
      if (connection) return connection;
      const ready = await this.arrivals.within(deadline - native.now());
      if (this.closed) throw new InterruptedError("accept()");
      if (!ready && native.now() >= deadline) {
        throw new LabError(`No client connected to port ${this.port} within ${timeout} ms.`, {
          code: "ETIMEDOUT",
          hint: "Connect a client first, or give a longer timeout.",
        });
      }
    }
  }

  /**
   * The oldest connection of the accept queue, or null if the queue is empty. Never waits. @throws LabError EMFILE,
   * ENFILE; ClosedError
   */
  tryAccept(): Connection | null {
    this.host.requireOpen();
    const fd = this.call("accept", () => native.accept(this.fd));
    if (fd < 0) return null;
    const connection = new Connection(this.host, fd);
    this.emit("accept", connection);
    return connection;
  }

  /**
   * All connections of the accept queue, in the order in which their handshakes ended. Never waits.
   * Options: `limit` (connections).
   * @throws LabError EMFILE, ENFILE: none could be accepted; ArgumentError; ClosedError
   */
  acceptAll({ limit = 2 ** 31 - 1 }: AcceptAllOptions = {}): Connection[] {
    requireInteger(limit, "limit", 0, 2 ** 31 - 1);
    this.host.requireOpen(); // a Lab that closes keeps no connections: the descriptors would be lost
    const fds = this.call("accept", () => native.acceptAll(this.fd, limit));
    this.mark("drain", `${fds.length} accepted`);
    const connections = Array.from(fds, (fd) => new Connection(this.host, fd));
    if (this.listenerCount("accept") > 0) for (const connection of connections) this.emit("accept", connection);
    return connections;
  }

  /**
   * Starts a native thread that accepts connections.
   * Options: `rate` (accepts per second), `limit` (connections), `close` (close each at once), `onConnections` (a
   * handler of batches).
   * @throws ArgumentError; ClosedError
   */
  acceptLoop(options: AcceptLoopOptions = {}): AcceptLoop {
    this.requireOpen();
    const loop = AcceptLoop.start(this.host, this.fd, options, (ended) => this.host.drop(ended));
    this.host.keep(loop);
    this.loops.add(loop);
    this.emit("loop", loop);
    this.mark("accept loop", options.rate ? `${options.rate} per second` : "as fast as it can");
    return loop;
  }

  /**
   * listen(2) again: changes the limit of the accept queue to min(backlog, somaxconn as it is now). Both queues keep
   * what is in them.
   * @throws ArgumentError; ClosedError
   */
  relisten(backlog: number): void {
    requireBacklog(backlog);
    this.call("listen", () => listenOn(this.fd, backlog));
    this.asked = backlog;
    this.mark("listen", `backlog ${backlog}`);
  }

  /** Tells recordings that clients are about to connect. */
  addBurst(clients: Burst, detail: string): void {
    this.bursts.add(clients);
    this.emit("clients", clients);
    this.mark("burst", detail);
  }

  /** Notes an event in every recording of this listener. */
  mark(name: string, detail?: string): void {
    this.emit("mark", name, detail);
  }

  /**
   * Closes the socket. The kernel resets the connections in its accept queue (inet_csk_listen_stop()), which takes
   * seconds for a million: that happens on another thread. Idempotent.
   */
  close(): Promise<void> {
    this.closing ??= whileClosing(this.end());
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(): Promise<void> {
    this.arrivals.cancel();
    const observers: Promise<unknown>[] = [];
    this.emit("close", (done) => void observers.push(done));
    this.host.drop(this);
    // a sampler that still runs would read the descriptor, whose number the next socket gets
    if (observers.length > 0) await Promise.allSettled(observers);
    if (this.owner === "listener") await native.closeLater(Int32Array.of(this.descriptor));
    else if (this.server?.listening) this.server.close();
  }

  private requireOpen(): void {
    if (this.closing) throw new ClosedError("Listener", `port ${this.port}`);
  }

  private call<T>(what: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw explain(error, `Listener on port ${this.port}, ${what}`);
    }
  }
}

/** A listening socket in a Lab: port, backlog, its accept queue and its SYN queue. */
import { EventEmitter } from "node:events";
import type net from "node:net";
import { ClosedError, explain, InterruptedError, LabError, requireInteger, requireKnown } from "../errors";
import { dotted } from "../lab/address";
import type { LabHost } from "../lab/host";
import { closingsSettled, whileClosing, type Closable } from "../lab/owned";
import { type ClientThread, type Ghosts, native } from "../native";
import { valueAt } from "../native/column";
import { longestTimer, requireTimeout } from "../waiting/timeout";
import { AcceptLoop, type AcceptLoopOptions } from "./accept-loop";
import { Connection } from "./connection";
import { stateMask } from "./sockets-table";

/** The address, the port and the queues of a listening socket. */
export interface ListenOptions {
  /** port; 0: the kernel chooses a free one, the default */
  port?: number;
  /** the argument of listen(2), connections: any 32-bit integer, as the kernel takes it (-1: the limit is somaxconn). Default 128 */
  backlog?: number;
  /** IPv4 address of the Lab; default "0.0.0.0": all of them */
  address?: string;
  /** true: several listeners may share the port (SO_REUSEPORT). Default false */
  reusePort?: boolean;
  /** TCP_DEFER_ACCEPT, seconds: a connection enters the accept queue with its first data. Default 0: off */
  deferAccept?: number;
  /** TCP_FASTOPEN, length of its queue, connections: a SYN may carry data. Default 0: off */
  fastOpen?: number;
}

/** How accept() waits. */
export interface AcceptOptions {
  /** ms to wait for a connection; Infinity: no time limit, the default */
  timeout?: number;
}

/** How many connections acceptAll() takes. */
export interface AcceptAllOptions {
  /** the greatest number of connections; default: all that wait */
  limit?: number;
}

/** One half-open request: a handshake whose final ACK has not arrived. */
export interface SynRequest {
  /** of the client */
  address: string;
  port: number;
  /** retransmissions of the SYN-ACK so far */
  retransmits: number;
  /** ms since the SYN, computed from the timer: the first interval is 1 s, and each one is twice the one before */
  age: number;
  /** ms until the kernel retransmits the SYN-ACK or deletes the request */
  timer: number;
}

const sol = { socket: 1, tcp: 6 };
const option = { reuseAddress: 2, reusePort: 15, deferAccept: 9, fastOpen: 23 };
const synRecv = stateMask(["SYN_RECV", "NEW_SYN_RECV"]);
/** TCP_TIMEOUT_INIT, ms: the first retransmission of a SYN-ACK comes 1 s after it */
const firstTimeout = 1000;

/** Clients that connect to a listener: Clients, or Ghosts. */
export interface Burst {
  /** their threads, whose states recordings sample */
  readonly natives: readonly (ClientThread | Ghosts)[];
}

/** What observers of a listener (recordings, ladders) learn. */
export interface ListenerEvents {
  /** something that a picture shows at its moment: listen, burst, drain, accept loop … */
  mark: [name: string, detail?: string];
  /** clients are about to connect */
  clients: [clients: Burst];
  /** a connection was accepted by accept(), tryAccept() or acceptAll() */
  accept: [connection: Connection];
  /** an accept loop has started */
  loop: [loop: AcceptLoop];
  /** The listener is closing. Its descriptor stays open until every promise given to `waitFor` is settled. */
  close: [waitFor: (done: Promise<unknown>) => void];
}

/** A listening socket of the Lab; see Lab.listen(). */
export class Listener extends EventEmitter<ListenerEvents> implements Closable {
  private closing?: Promise<void>;
  /** one for all calls that wait in accept(): libuv watches a descriptor once */
  private waiting?: { promise: Promise<boolean>; cancel(): void };
  private waiters = 0;
  private asked: number;
  private readonly readAcceptQueue: () => number;
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
  }

  /**
   * socket(2), bind(2), listen(2).
   * @throws LabError EADDRINUSE, EADDRNOTAVAIL, EACCES; ArgumentError; ClosedError
   */
  static async open(host: LabHost, options: ListenOptions = {}): Promise<Listener> {
    requireKnown(options, ["port", "backlog", "address", "reusePort", "deferAccept", "fastOpen"], "listen()");
    const port = requireInteger(options.port ?? 0, "port", 0, 65535);
    const backlog = requireInteger(options.backlog ?? 128, "backlog", -(2 ** 31), 2 ** 31 - 1);
    const address = options.address ?? "0.0.0.0";
    const deferAccept = requireInteger(options.deferAccept ?? 0, "deferAccept (seconds)", 0, 32767);
    const fastOpen = requireInteger(options.fastOpen ?? 0, "fastOpen (queue length)", 0, 65535);
    const fd = await host.socket("tcp");
    let listener: Listener;
    try {
      // As servers do: a port with old connections in TIME_WAIT can be bound again (socket(7), SO_REUSEADDR).
      native.setsockopt(fd, sol.socket, option.reuseAddress, 1);
      if (options.reusePort) native.setsockopt(fd, sol.socket, option.reusePort, 1);
      if (deferAccept > 0) native.setsockopt(fd, sol.tcp, option.deferAccept, deferAccept);
      if (fastOpen > 0) native.setsockopt(fd, sol.tcp, option.fastOpen, fastOpen);
      await bind(fd, address, port);
      native.listen(fd, backlog);
      listener = new Listener(host, fd, address, native.getsockname(fd).port, backlog);
    } catch (error) {
      native.close(fd);
      throw explain(error, `Cannot listen on ${address}:${port}`, {
        EADDRINUSE: `Another socket of this Lab listens on port ${port}. Close it, choose another port, or give both reusePort: true.`,
        EADDRNOTAVAIL: `The Lab does not have this address. It has 127.0.0.0/8${host.address ? ` and ${host.address}` : ""}.`,
        EACCES: "Ports below 1024 need CAP_NET_BIND_SERVICE. Choose a higher port.",
      });
    }
    return host.keep(listener);
  }

  /**
   * Gives the socket to a node:net server, which accepts from it and closes it from now on; this object stays as a view of its queues.
   * Node calls listen(2) again, with a backlog of 511 (net.Server takes no other for a descriptor), so we set ours after that.
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
      // A server that listens already has not touched the socket. One that could not listen has closed it (setupListenHandle in net.js).
      if (isOpen(fd, inode)) this.owner = "listener";
      await this.close();
      throw error;
    } finally {
      server.off("error", onError);
    }
    native.listen(fd, this.backlog);
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

  /** Limit of the accept queue: min(backlog, somaxconn), which `ss -ltn` shows as Send-Q. Source: sk_max_ack_backlog @throws ClosedError */
  get acceptMax(): number {
    return native.tcpInfo(this.fd).sacked;
  }

  /** Capacity of the accept queue, connections: acceptMax + 1, because the queue is full when it is longer than its limit (sk_acceptq_is_full()). @throws ClosedError */
  get capacity(): number {
    return this.acceptMax + 1;
  }

  /** Length of the SYN queue: half-open requests. Source: a sock_diag dump of SYN_RECV (3.5 µs with 1024 buckets, and 0.17 µs for each request) @throws ClosedError */
  get synQueue(): number {
    this.requireOpen();
    return native.diag(this.host.diagFd, synRecv, this.port).length;
  }

  /** The half-open requests in the SYN queue, in the order of the kernel's table. @throws ClosedError */
  synRequests(): SynRequest[] {
    this.requireOpen();
    const rows = native.diag(this.host.diagFd, synRecv, this.port);
    return Array.from({ length: rows.length }, (_, at) => {
      const retransmits = valueAt(rows.retransmits, at);
      const timer = valueAt(rows.expires, at);
      const interval = firstTimeout * 2 ** retransmits;
      return {
        address: dotted(valueAt(rows.remoteAddress, at)),
        port: valueAt(rows.remotePort, at),
        retransmits,
        age: Math.max(0, interval - firstTimeout + interval - timer),
        timer,
      };
    });
  }

  /**
   * The oldest connection of the accept queue; waits for one. Source: accept4(2)
   * Options: `timeout` (ms, default Infinity).
   * @throws LabError ETIMEDOUT, EMFILE, ENFILE; ArgumentError; ClosedError; InterruptedError: it was closed while accept() waited
   */
  async accept({ timeout = Infinity }: AcceptOptions = {}): Promise<Connection> {
    const deadline = native.now() + requireTimeout(timeout);
    for (;;) {
      const connection = this.tryAccept();
      if (connection) return connection;
      const ready = await this.readable(deadline - native.now());
      if (this.closed) throw new InterruptedError("accept()");
      if (!ready && native.now() >= deadline) {
        throw new LabError(`No client connected to port ${this.port} within ${timeout} ms.`, {
          code: "ETIMEDOUT",
          hint: "Connect a client first, or give a longer timeout.",
        });
      }
    }
  }

  /** The oldest connection of the accept queue, or null if the queue is empty. Never waits. @throws LabError EMFILE, ENFILE; ClosedError */
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
   * Options: `rate` (accepts per second), `limit` (connections), `close` (close each at once), `onConnections` (a handler of batches).
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
   * listen(2) again: changes the limit of the accept queue to min(backlog, somaxconn as it is now). Both queues keep what is in them.
   * @throws ArgumentError; ClosedError
   */
  relisten(backlog: number): void {
    requireInteger(backlog, "backlog", -(2 ** 31), 2 ** 31 - 1);
    this.call("listen", () => native.listen(this.fd, backlog));
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
   * Closes the socket. The kernel resets the connections in its accept queue (inet_csk_listen_stop()), which takes seconds for a million:
   * that happens on another thread. Idempotent.
   */
  close(): Promise<void> {
    this.closing ??= whileClosing(this.end());
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(): Promise<void> {
    this.waiting?.cancel();
    const observers: Promise<unknown>[] = [];
    this.emit("close", (done) => void observers.push(done));
    this.host.drop(this);
    // a sampler that still runs would read the descriptor, whose number the next socket gets
    if (observers.length > 0) await Promise.allSettled(observers);
    if (this.owner === "listener") await native.closeLater(Int32Array.of(this.descriptor));
    else if (this.server?.listening) this.server.close();
  }

  /** Waits until the accept queue may hold a connection: false after `ms`, or when the listener is closed. */
  private async readable(ms: number): Promise<boolean> {
    if (ms <= 0) return false;
    const waiting = (this.waiting ??= native.poll(this.fd, 1, Infinity));
    let timer: NodeJS.Timeout | undefined;
    const limits =
      ms === Infinity
        ? []
        : [new Promise<boolean>((resolve) => (timer = setTimeout(resolve, Math.min(ms, longestTimer), false)))];
    this.waiters++;
    try {
      const ready = await Promise.race([waiting.promise, ...limits]);
      if (ready && this.waiting === waiting) this.waiting = undefined;
      return ready;
    } finally {
      clearTimeout(timer);
      this.waiters--;
      if (this.waiters === 0 && this.waiting === waiting) {
        waiting.cancel();
        this.waiting = undefined;
      }
    }
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

/** A listener that is still closing holds its port a moment longer, so a busy port is tried again when all closings have ended. */
async function bind(fd: number, address: string, port: number): Promise<void> {
  try {
    native.bind(fd, address, port);
  } catch (error) {
    if ((error as LabError).code !== "EADDRINUSE" || !(await closingsSettled())) throw error;
    native.bind(fd, address, port);
  }
}

/** Whether the descriptor is still the socket with this inode. */
function isOpen(fd: number, inode: number): boolean {
  try {
    return native.inode(fd) === inode;
  } catch {
    return false;
  }
}

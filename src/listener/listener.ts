/**
 * A listening socket in a Lab: port, backlog, its accept queue and its SYN queue.
 */
import { EventEmitter } from "node:events";
import type net from "node:net";
import { ClosedError, explain, InterruptedError, LabError, requireInteger, requireKnown } from "../errors";
import { dotted } from "../lab/address";
import type { LabHost } from "../lab/host";
import { closingsSettled, whileClosing, type Closable } from "../lab/owned";
import { ClientThread, Ghosts, native } from "../native";
import { AcceptLoop, AcceptLoopOptions } from "./accept-loop";
import { Connection } from "./connection";
import { stateMask } from "./sockets-table";

export interface ListenOptions {
  /** 0: the kernel chooses a free one. Default 0 */
  port?: number;
  /** the argument of listen(2); any 32-bit integer, as the kernel takes it (-1 means "as many as somaxconn allows"). Default 128 */
  backlog?: number;
  /** default "0.0.0.0": all of the Lab's */
  address?: string;
  /** SO_REUSEPORT: several listeners share the port */
  reusePort?: boolean;
  /** TCP_DEFER_ACCEPT, seconds: a connection shows up only with its first data */
  deferAccept?: number;
  /** TCP_FASTOPEN, length of its queue; data may come with the SYN */
  fastOpen?: number;
}

/** One handshake whose last ACK has not been taken. */
export interface SynRequest {
  address: string;
  port: number;
  /** SYN-ACKs sent again so far */
  retransmits: number;
  /** ms since the SYN, reckoned from the timer: the kernel doubles a first wait of 1 s */
  age: number;
  /** ms until the SYN-ACK is sent again or the request given up */
  timer: number;
}

const sol = { socket: 1, tcp: 6 };
const option = { reuseAddress: 2, reusePort: 15, deferAccept: 9, fastOpen: 23 };
const synRecv = stateMask(["SYN_RECV", "NEW_SYN_RECV"]);
/** ms; more overflow a timer */
const longestTimer = 2 ** 31 - 1;
/** TCP_TIMEOUT_INIT: the first SYN-ACK is resent after 1 s */
const firstTimeout = 1000;

/** Clients that come to a listener: with sockets, or ghosts. */
export interface Burst {
  readonly natives: readonly (ClientThread | Ghosts)[];
}

/** What observers of a listener (recordings) are told. */
export interface ListenerEvents {
  /** something a reader would want to see in the picture: listen, burst, drain, accept … */
  mark: [name: string, detail?: string];
  clients: [clients: Burst];
  accept: [connection: Connection];
  loop: [loop: AcceptLoop];
  close: [];
}

export class Listener extends EventEmitter<ListenerEvents> implements Closable {
  private closing?: Promise<void>;
  /** one for all that wait in accept(): the event loop watches a descriptor once */
  private waiting?: { promise: Promise<boolean>; cancel(): void };
  private waiters = 0;
  private asked: number;
  private readonly readAcceptQueue: () => number;
  /** bursts of clients that went to this listener, for recordings that start later */
  readonly bursts = new Set<Burst>();
  /** accept loops of this listener, likewise */
  readonly loops = new Set<AcceptLoop>();

  private owner: "listener" | "server" = "listener";
  private server?: net.Server;

  private constructor(
    readonly host: LabHost,
    private readonly descriptor: number,
    readonly address: string,
    readonly port: number,
    backlog: number,
  ) {
    super();
    this.asked = backlog;
    this.readAcceptQueue = native.acceptQueueReader(descriptor);
  }

  /** @throws LabError EADDRINUSE, EADDRNOTAVAIL, EACCES; ArgumentError */
  static async open(host: LabHost, options: ListenOptions = {}): Promise<Listener> {
    requireKnown(options, ["port", "backlog", "address", "reusePort", "deferAccept", "fastOpen"], "listen()");
    const port = requireInteger(options.port ?? 0, "port", 0, 65535);
    const backlog = requireInteger(options.backlog ?? 128, "backlog", -(2 ** 31), 2 ** 31 - 1);
    const address = options.address ?? "0.0.0.0";
    const deferAccept = requireInteger(options.deferAccept ?? 0, "deferAccept (seconds)", 0, 32767);
    const fastOpen = requireInteger(options.fastOpen ?? 0, "fastOpen (queue length)", 0, 65535);
    const [fd] = await host.sockets("tcp", 1);
    let listener: Listener;
    try {
      // Like every server: a port whose old connections are in TIME_WAIT is free (socket(7), SO_REUSEADDR).
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
        EADDRINUSE: `Another socket of this Lab listens on port ${port}: close it, choose another port, or give both reusePort: true.`,
        EADDRNOTAVAIL: `${address} is no address of this Lab: it has 127.0.0.0/8${host.address ? ` and ${host.address}` : ""}.`,
        EACCES: "Ports below 1024 need CAP_NET_BIND_SERVICE: take a higher one.",
      });
    }
    return host.keep(listener);
  }

  /**
   * Hands the socket to a node:net server, which accepts from it and closes it from now on; this object stays as a view of its queues.
   * Node calls listen(2) once more, with a backlog of 511 (net.Server takes no other for a descriptor): ours is set again after that.
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
      // a server that listens already has not touched the socket; one that could not listen has closed it (setupListenHandle)
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

  get closed(): boolean {
    return this.closing !== undefined;
  }

  get fd(): number {
    this.requireOpen();
    return this.descriptor;
  }

  get inode(): number {
    return native.inode(this.fd);
  }

  /** what listen(2) was asked for last */
  get backlog(): number {
    return this.asked;
  }

  /** completed connections that wait for accept(). Source: sk_ack_backlog, by TCP_INFO (0.3 us) */
  get acceptQueue(): number {
    this.requireOpen();
    return this.readAcceptQueue();
  }

  /** min(backlog, somaxconn): what `ss -ltn` shows as Send-Q. Source: sk_max_ack_backlog */
  get acceptMax(): number {
    return native.tcpInfo(this.fd).sacked;
  }

  /** How many can wait: acceptMax + 1, since sk_acceptq_is_full() asks for more than the maximum. */
  get capacity(): number {
    return this.acceptMax + 1;
  }

  /** Requests in SYN_RECV. Source: sock_diag dump of the Lab (3.5 us with 1024 buckets, and 0.17 us a request) */
  get synQueue(): number {
    this.requireOpen();
    return native.diag(this.host.diagFd, synRecv, this.port).length;
  }

  /** The requests themselves. */
  synRequests(): SynRequest[] {
    this.requireOpen();
    const rows = native.diag(this.host.diagFd, synRecv, this.port);
    return Array.from({ length: rows.length }, (_, at) => {
      const wait = firstTimeout * 2 ** rows.retransmits[at];
      return {
        address: dotted(rows.remoteAddress[at]),
        port: rows.remotePort[at],
        retransmits: rows.retransmits[at],
        age: Math.max(0, wait - firstTimeout + wait - rows.expires[at]),
        timer: rows.expires[at],
      };
    });
  }

  /** The oldest waiting connection; waits for one. @throws LabError ETIMEDOUT, EMFILE; ClosedError, InterruptedError */
  async accept({ timeout = -1 }: { timeout?: number } = {}): Promise<Connection> {
    const deadline = timeout < 0 ? Infinity : native.now() + timeout;
    for (;;) {
      const connection = this.tryAccept();
      if (connection) return connection;
      const ready = await this.readable(deadline - native.now());
      if (this.closed) throw new InterruptedError("accept()");
      if (!ready && native.now() >= deadline) {
        throw new LabError(`No connection came to port ${this.port} within ${timeout} ms.`, {
          code: "ETIMEDOUT",
          hint: "Connect a client first, or give a longer timeout.",
        });
      }
    }
  }

  /** The oldest waiting connection, or null. Never waits. */
  tryAccept(): Connection | null {
    const fd = this.call("accept", () => native.accept(this.fd));
    if (fd < 0) return null;
    const connection = new Connection(this.host, fd);
    this.emit("accept", connection);
    return connection;
  }

  /** All that wait now (or the first `limit`), in the order in which their handshakes ended. */
  acceptAll({ limit = 2 ** 31 - 1 }: { limit?: number } = {}): Connection[] {
    requireInteger(limit, "limit", 0, 2 ** 31 - 1);
    const fds = this.call("accept", () => native.acceptAll(this.fd, limit));
    this.mark("drain", `${fds.length} accepted`);
    const connections = Array.from(fds, (fd) => new Connection(this.host, fd));
    if (this.listenerCount("accept") > 0) for (const connection of connections) this.emit("accept", connection);
    return connections;
  }

  /** Starts a native accept loop: a rate, a pause, a handler that gets connections in batches. */
  acceptLoop(options: AcceptLoopOptions = {}): AcceptLoop {
    this.requireOpen();
    const loop = AcceptLoop.start(this.host, this.fd, options, (loop) => this.host.drop(loop));
    this.host.keep(loop);
    this.loops.add(loop);
    this.emit("loop", loop);
    this.mark("accept loop", options.rate ? `${options.rate} a second` : "as fast as it can");
    return loop;
  }

  /** listen(2) again: changes the backlog under way, up or down; nothing in the queues is lost. Reads somaxconn anew. */
  relisten(backlog: number): void {
    requireInteger(backlog, "backlog", -(2 ** 31), 2 ** 31 - 1);
    this.call("listen", () => native.listen(this.fd, backlog));
    this.asked = backlog;
    this.mark("listen", `backlog ${backlog}`);
  }

  /** Tells recordings of a burst that is about to start. */
  addBurst(clients: Burst, detail: string): void {
    this.bursts.add(clients);
    this.emit("clients", clients);
    this.mark("burst", detail);
  }

  /** Notes an event in every recording of this listener. */
  mark(name: string, detail?: string): void {
    this.emit("mark", name, detail);
  }

  /** Closes the socket; connections that waited in its queue are reset. Off the JavaScript thread: a million queued take seconds. Idempotent. */
  close(): Promise<void> {
    this.closing ??= whileClosing(this.end());
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(): Promise<void> {
    this.waiting?.cancel();
    this.emit("close");
    this.host.drop(this);
    if (this.owner === "listener") await native.closeLater(Int32Array.of(this.descriptor));
    else if (this.server?.listening) this.server.close();
  }

  /** Waits until a connection may be there: false after `ms`, or when the listener is closed. */
  private async readable(ms: number): Promise<boolean> {
    if (ms <= 0) return false;
    const waiting = (this.waiting ??= native.poll(this.fd, 1, -1));
    let timer: NodeJS.Timeout | undefined;
    const patience =
      ms === Infinity
        ? []
        : [new Promise<boolean>((resolve) => (timer = setTimeout(resolve, Math.min(ms, longestTimer), false)))];
    this.waiters++;
    try {
      const ready = await Promise.race([waiting.promise, ...patience]);
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

/** A listener whose close() nobody has awaited holds its port a moment longer: then a second try, when it is gone. */
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

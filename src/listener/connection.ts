/**
 * One accepted (or dialled) connection: a descriptor of its own and a 4-tuple.
 */
import net from "node:net";
import { ArgumentError, ClosedError, explain, InterruptedError, LabError, requireInteger } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { type Endpoint, native, type TcpInfo } from "../native";
import { requireTimeout } from "../waiting/timeout";

/** poll(2): POLLIN and POLLOUT, as libuv names them */
const readable = 1;
const writable = 2;

const connectionHints = {
  ECONNRESET: "The other end has reset the connection (RST). No more data will come.",
  EPIPE: "The other end has reset the connection, or end() was called here. Nothing more can be written.",
  ETIMEDOUT: "The other end has not acknowledged our data, so the kernel has ended the connection.",
};

/** How read() reads. */
export interface ReadOptions {
  /** the greatest number of bytes to return, 1 to 1 GiB; default 65,536 */
  size?: number;
  /** ms to wait for data; Infinity: no time limit, the default */
  timeout?: number;
}

/** A connected TCP socket of the Lab: made by `listener.accept()`, by `lab.dial()`, or taken from Clients. */
export class Connection implements Closable {
  private open = true;
  private readonly waits = new Set<{ cancel(): void }>();
  private where?: { local: Endpoint; remote: Endpoint };

  /** Takes ownership of a connected, non-blocking TCP socket; it is closed with its Lab at the latest. */
  constructor(
    private readonly host: LabHost,
    private readonly descriptor: number,
    /** called once, when the socket has been closed */
    private readonly onClosed?: () => void,
  ) {
    host.keep(this);
  }

  /** The descriptor. A connection in the accept queue has none: accept() allocates it. @throws ClosedError */
  get fd(): number {
    this.requireOpen();
    return this.descriptor;
  }

  get closed(): boolean {
    return !this.open;
  }

  /** this end's address and port (getsockname) */
  get local(): Endpoint {
    return this.endpoints().local;
  }

  /** The other end's address and port (getpeername). @throws LabError ENOTCONN: it was reset before the first call */
  get remote(): Endpoint {
    return this.endpoints().remote;
  }

  /** "10.0.0.1:8080 ← 10.1.0.1:41234": the 4-tuple */
  get tuple(): string {
    const { local, remote } = this.endpoints();
    return `${local.address}:${local.port} ← ${remote.address}:${remote.port}`;
  }

  /** the socket's inode, as /proc/self/fd and sock_diag show it */
  get inode(): number {
    return native.inode(this.fd);
  }

  /** TCP_INFO. Source: tcp(7), tcp_get_info() */
  info(): TcpInfo {
    return native.tcpInfo(this.fd);
  }

  /**
   * The next bytes, as soon as there are any; null at the end of the stream (FIN).
   * Options: `size` (bytes), `timeout` (ms).
   * @throws LabError ECONNRESET, ETIMEDOUT; ArgumentError; ClosedError; InterruptedError: it was closed while it waited
   */
  async read({ size = 65536, timeout = Infinity }: ReadOptions = {}): Promise<Buffer | null> {
    requireInteger(size, "size", 1, 1 << 30);
    requireTimeout(timeout);
    const buffer = Buffer.allocUnsafe(size);
    const deadline = native.now() + timeout;
    for (;;) {
      const count = this.call("read", () => native.recv(this.fd, buffer));
      if (count === 0) return null;
      if (count > 0) return buffer.subarray(0, count);
      await this.wait(readable, deadline, "No data came in time.");
    }
  }

  /** Everything until the end of the stream, as text. `timeout` is for each read. @throws as read() */
  async readText(options: ReadOptions = {}): Promise<string> {
    const parts: Buffer[] = [];
    for (let part = await this.read(options); part !== null; part = await this.read(options)) parts.push(part);
    return Buffer.concat(parts).toString();
  }

  /**
   * Resolves when all of it is in the kernel's send buffer. @throws LabError EPIPE, ECONNRESET; ArgumentError;
   * ClosedError
   */
  async write(data: string | Uint8Array): Promise<void> {
    let rest: Uint8Array = typeof data === "string" ? Buffer.from(data) : data;
    if (!(rest instanceof Uint8Array)) throw new ArgumentError("write() takes a string or a Uint8Array.");
    if (rest.constructor !== Uint8Array) rest = new Uint8Array(rest.buffer, rest.byteOffset, rest.byteLength);
    while (rest.length > 0) {
      const taken = this.call("write", () => native.send(this.fd, rest));
      if (taken < 0) await this.wait(writable, Infinity, "The send buffer stayed full.");
      else rest = rest.subarray(taken);
    }
  }

  /** Sends FIN: nothing more will be written, and read() goes on. Source: shutdown(2), SHUT_WR */
  end(): void {
    this.call("end", () => native.shutdown(this.fd, 1));
  }

  /**
   * Closes the socket, at once: the promise is there because every close() gives one. Idempotent.
   * The kernel sends FIN, or RST where data is unread (tcp_close()).
   */
  async close(): Promise<void> {
    if (!this.open) return;
    this.release();
    native.close(this.descriptor);
    this.onClosed?.();
  }

  /** Closes the socket with RST instead of FIN (SO_LINGER 0), at once. @throws ClosedError */
  reset(): void {
    native.setLinger(this.fd, 0);
    void this.close();
  }

  /** A node:net Socket that takes over the descriptor; this object is closed then. @throws ClosedError */
  toSocket(options: net.SocketConstructorOpts = {}): net.Socket {
    const fd = this.fd;
    this.release();
    const socket = new net.Socket({ ...options, fd, readable: true, writable: true });
    if (this.onClosed) socket.once("close", this.onClosed);
    return socket;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private requireOpen(): void {
    if (!this.open) throw new ClosedError("connection");
  }

  /** The descriptor is no longer this object's. */
  private release(): void {
    this.open = false;
    for (const waiting of this.waits) waiting.cancel();
    this.host.drop(this);
  }

  private endpoints(): { local: Endpoint; remote: Endpoint } {
    this.where ??= this.call("addresses", () => ({
      local: native.getsockname(this.fd),
      remote: native.getpeername(this.fd),
    }));
    return this.where;
  }

  private call<T>(what: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw explain(error, `Connection, ${what}`, connectionHints);
    }
  }

  private async wait(events: number, deadline: number, complaint: string): Promise<void> {
    const waiting = native.poll(this.fd, events, Math.max(deadline - native.now(), 0));
    this.waits.add(waiting);
    const ready = await waiting.promise.finally(() => this.waits.delete(waiting));
    if (!this.open) throw new InterruptedError("Waiting on a connection");
    if (!ready && native.now() >= deadline)
      throw new LabError(complaint, {
        code: "ETIMEDOUT",
        hint: "Give it a longer timeout, or look at the other end.",
      });
  }
}

/**
 * One accepted (or dialled) connection: a descriptor of its own and a 4-tuple.
 */
import net from "node:net";
import { ArgumentError, ClosedError, explain, InterruptedError, LabError, requireInteger } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { Endpoint, native, TcpInfo } from "../native";

const readable = 1;
const writable = 2;

const connectionHints = {
  ECONNRESET: "The other end has reset it (RST): nothing more will come.",
  EPIPE: "The other end has reset it, or this end was shut down: nothing can be written any more.",
  ETIMEDOUT: "The other end has not answered for too long.",
};

export interface ReadOptions {
  /** most bytes to return; default 65536 */
  size?: number;
  /** ms to wait for data; default: for ever */
  timeout?: number;
}

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

  /** the descriptor; it exists since accept(), not before */
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

  /** the other end's address and port (getpeername). @throws LabError ENOTCONN if it was reset before anybody asked */
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
   * The next bytes; null at the end of the stream (FIN).
   * @throws LabError ECONNRESET, ETIMEDOUT; ClosedError
   */
  async read({ size = 65536, timeout = -1 }: ReadOptions = {}): Promise<Buffer | null> {
    requireInteger(size, "size", 1, 1 << 30);
    const buffer = Buffer.allocUnsafe(size);
    const deadline = timeout < 0 ? Infinity : native.now() + timeout;
    for (;;) {
      const count = this.call("read", () => native.recv(this.fd, buffer));
      if (count === 0) return null;
      if (count > 0) return buffer.subarray(0, count);
      await this.wait(readable, deadline, "No data came");
    }
  }

  /** Everything until the end of the stream, as text. */
  async readText(options: ReadOptions = {}): Promise<string> {
    const parts: Buffer[] = [];
    for (let part = await this.read(options); part !== null; part = await this.read(options)) parts.push(part);
    return Buffer.concat(parts).toString();
  }

  /** Resolves when the kernel has taken all of it. @throws LabError EPIPE, ECONNRESET; ClosedError */
  async write(data: string | Uint8Array): Promise<void> {
    let rest: Uint8Array = typeof data === "string" ? Buffer.from(data) : data;
    if (!(rest instanceof Uint8Array)) throw new ArgumentError("write() takes a string or a Uint8Array.");
    if (rest.constructor !== Uint8Array) rest = new Uint8Array(rest.buffer, rest.byteOffset, rest.byteLength);
    while (rest.length > 0) {
      const taken = this.call("write", () => native.send(this.fd, rest));
      if (taken < 0) await this.wait(writable, Infinity, "The buffer stayed full");
      else rest = rest.subarray(taken);
    }
  }

  /** FIN: nothing more will be written; reading goes on. */
  end(): void {
    this.call("end", () => native.shutdown(this.fd, 1));
  }

  /** The socket is closed when the call returns, as close(2) is; the promise is there because every close() gives one. Idempotent. Unread data makes the kernel send RST instead of FIN. */
  async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    this.giveUpWaits();
    this.host.drop(this);
    native.close(this.descriptor);
    this.onClosed?.();
  }

  /** RST (SO_LINGER 0). */
  reset(): void {
    native.setLinger(this.fd, 0);
    void this.close();
  }

  /** Hands the descriptor to a node:net Socket; this object is closed then, the socket owns it. */
  toSocket(options: net.SocketConstructorOpts = {}): net.Socket {
    const fd = this.fd;
    this.open = false;
    this.giveUpWaits();
    this.host.drop(this);
    const socket = new net.Socket({ ...options, fd, readable: true, writable: true });
    if (this.onClosed) socket.once("close", this.onClosed);
    return socket;
  }

  [Symbol.dispose](): void {
    void this.close();
  }

  private requireOpen(): void {
    if (!this.open) throw new ClosedError("connection");
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
    const left = deadline === Infinity ? -1 : Math.max(0, deadline - native.now());
    const waiting = native.poll(this.fd, events, left);
    this.waits.add(waiting);
    const ready = await waiting.promise.finally(() => this.waits.delete(waiting));
    if (!this.open) throw new InterruptedError("Waiting on a connection");
    if (!ready && native.now() >= deadline)
      throw new LabError(`${complaint} in time.`, {
        code: "ETIMEDOUT",
        hint: "Give it a longer timeout, or look at the other end.",
      });
  }

  private giveUpWaits(): void {
    for (const waiting of this.waits) waiting.cancel();
  }
}

/** The type of every call of the addon. */
import type { Acceptor, AcceptorOptions } from "./acceptor";
import type { ClientThread, ClientThreadOptions } from "./clients";
import type { Ghosts, GhostsOptions, Mirror, MirrorOptions, WirePort, WirePortOptions } from "./link";
import type { Sampler, SamplerOptions } from "./sampler";
import type { DiagRows, Endpoint, TcpInfo } from "./sockets";

export interface HostReply {
  fields: string[];
  fds: Int32Array;
}

export interface NativeAddon {
  /** CLOCK_MONOTONIC, ms */
  now(): number;

  // ── the lab host ───────────────────────────────────────────────────────────────────────────────────────
  /** posix_spawn(3) in a session of its own; its fd 3 is the far end of a SOCK_SEQPACKET pair. @throws ENOENT, EAGAIN, EMFILE */
  startHost(program: string): { fd: number; pid: number };
  /** Sends one request and waits for its one reply on a worker thread. One at a time per fd. @throws ETIMEDOUT, ECONNRESET (the host has died) */
  hostRequest(fd: number, fields: string[], timeoutMs: number): Promise<HostReply>;
  /** Wait for the child's end on a worker thread; its exit status, or -signal. SIGKILL after killAfterMs. */
  reap(pid: number, killAfterMs: number): Promise<number>;

  // ── one system call each ───────────────────────────────────────────────────────────────────────────────
  close(fd: number): void;
  /** Close many, or one that may take seconds (a listener with a million queued), on a worker thread. */
  closeLater(fds: Int32Array): Promise<void>;
  bind(fd: number, address: string, port: number): void;
  listen(fd: number, backlog: number): void;
  /** Starts a non-blocking connect; true: already connected, false: EINPROGRESS. */
  connect(fd: number, address: string, port: number): boolean;
  /** accept4(SOCK_NONBLOCK | SOCK_CLOEXEC); -1: the queue is empty (EAGAIN). */
  accept(fd: number): number;
  /** accept4 until EAGAIN, an error or `limit`. An error is thrown only where nothing was accepted; one that lasts (EMFILE) comes again with the next call. */
  acceptAll(fd: number, limit: number): Int32Array;
  getsockname(fd: number): Endpoint;
  getpeername(fd: number): Endpoint;
  setsockopt(fd: number, level: number, name: number, value: number): void;
  getsockopt(fd: number, level: number, name: number): number;
  setLinger(fd: number, seconds: number): void;
  tcpInfo(fd: number): TcpInfo;
  /**
   * A function that reads the length of this listener's accept queue (TCP_INFO's unacked alone), as cheaply as a call from JavaScript
   * can be. It is bound to the number of the descriptor: do not call it once that is closed.
   */
  acceptQueueReader(fd: number): () => number;
  /** bytes read; 0: end of stream; -1: nothing there yet */
  recv(fd: number, into: Uint8Array): number;
  /** bytes taken; -1: the buffer is full */
  send(fd: number, data: Uint8Array): number;
  shutdown(fd: number, how: number): void;
  /** whole file from offset 0 */
  preadText(fd: number): string;
  /** at offset 0. @throws EINVAL too when the kernel takes only a part: a sysctl that is one number takes the first of two */
  pwriteText(fd: number, text: string): void;
  /** read(2) itself, errors thrown: for showing that a listener carries no data */
  read(fd: number, into: Uint8Array): number;
  /** inode of the socket behind fd (fstat) */
  inode(fd: number): number;
  /** soft and hard limit and descriptors open now in this process */
  descriptors(): { soft: number; hard: number; open: number };
  /**
   * Waits (uv_poll) until fd is readable (1) or writable (2). false: timed out or cancelled. timeoutMs 0: only looks; Infinity: no time limit.
   * @throws RangeError a negative time or not a number
   */
  poll(fd: number, events: number, timeoutMs: number): { promise: Promise<boolean>; cancel(): void };
  /** A NETLINK_SOCK_DIAG socket of this process's own network namespace. The caller closes it. @throws EMFILE */
  diagSocket(): number;
  /**
   * sock_diag dump of TCP sockets in the states of the mask (1 << TCP_SYN_RECV, …); port 0: any local port. Sockets of IPv4, or with
   * `version` 6 those of IPv6, whose IPv4-mapped addresses are told as IPv4's (and :: as 0.0.0.0). `protocol`: an IPPROTO number,
   * default 6 (TCP). @throws ENOBUFS: rows were lost; ENOENT: the kernel has no sock_diag of this protocol
   */
  diag(diagFd: number, stateMask: number, port: number, version?: 4 | 6, protocol?: number): DiagRows;

  // ── one thread each ────────────────────────────────────────────────────────────────────────────────────
  Sampler: new (options: SamplerOptions) => Sampler;
  ClientThread: new (options: ClientThreadOptions) => ClientThread;
  Acceptor: new (options: AcceptorOptions) => Acceptor;
  Mirror: new (options: MirrorOptions) => Mirror;
  Ghosts: new (options: GhostsOptions) => Ghosts;

  // ── no thread ──────────────────────────────────────────────────────────────────────────────────────────
  WirePort: new (options: WirePortOptions) => WirePort;
}

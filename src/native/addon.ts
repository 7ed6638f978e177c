/** The type of every call of the addon. */
import type { Acceptor, AcceptorOptions } from "./acceptor";
import type { ClientThread, ClientThreadOptions } from "./clients";
import type { Ghosts, GhostsOptions, Mirror, MirrorOptions, WirePort, WirePortOptions } from "./link";
import type { Sampler, SamplerOptions } from "./sampler";
import type { DiagRows, ListeningSocket, UnixListeningSocket, Endpoint, TcpInfo } from "./sockets";

/** A reply of the lab host, as it came over the link. */
export interface HostReply {
  /** the message's values: OK or ERR first (src/lab/protocol.ts) */
  fields: string[];
  /** the descriptors that came beside it (SCM_RIGHTS); the caller owns them */
  fds: Int32Array;
}

/**
 * Every call of the addon. Each name is that of its system call where there is one. A call throws a system error
 * (`code`, `errno`, `syscall`), a TypeError for a wrong type, or a RangeError for a number out of range.
 */
export interface NativeAddon {
  /** CLOCK_MONOTONIC, ms */
  now(): number;

  // ── the lab host ───────────────────────────────────────────────────────────────────────────────────────
  /**
   * posix_spawn(3) in a session of its own; its fd 3 is the far end of a SOCK_SEQPACKET pair.
   * @throws ENOENT, EAGAIN, EMFILE
   */
  startHost(program: string): {
    /** this process's end of the pair; the caller owns it */
    fd: number;
    /** the helper's pid; the caller reaps it with reap() */
    pid: number;
  };
  /**
   * Sends one request and waits for its one reply on a worker thread. One at a time per fd.
   * @throws ETIMEDOUT, ECONNRESET (the host has died)
   */
  hostRequest(fd: number, fields: string[], timeoutMs: number): Promise<HostReply>;
  /**
   * Waits on a worker thread until the child ends, and sends SIGKILL after killAfterMs (ms). Resolves to its exit
   * status, or -signal.
   */
  reap(pid: number, killAfterMs: number): Promise<number>;

  // ── one system call each ───────────────────────────────────────────────────────────────────────────────
  /** close(2) */
  close(fd: number): void;
  /**
   * Closes descriptors on a worker thread: many, or a listener with a million queued connections, which takes seconds.
   */
  closeLater(fds: Int32Array): Promise<void>;
  /** bind(2). @throws EADDRINUSE, EADDRNOTAVAIL, EACCES */
  bind(fd: number, address: string, port: number): void;
  /**
   * listen(2); again on a listener, it changes the backlog. The kernel cuts the backlog to somaxconn (__sys_listen()).
   */
  listen(fd: number, backlog: number): void;
  /** Starts a non-blocking connect; true: already connected, false: EINPROGRESS. */
  connect(fd: number, address: string, port: number): boolean;
  /** accept4(SOCK_NONBLOCK | SOCK_CLOEXEC); -1: the queue is empty (EAGAIN). */
  accept(fd: number): number;
  /**
   * Calls accept4() until EAGAIN, an error, or `limit` connections. An error is thrown only if nothing was accepted. An
   * error that lasts (EMFILE) comes again with the next call.
   */
  acceptAll(fd: number, limit: number): Int32Array;
  /** getsockname(2): the local address and port */
  getsockname(fd: number): Endpoint;
  /** getpeername(2): the peer's address and port. @throws ENOTCONN */
  getpeername(fd: number): Endpoint;
  /** setsockopt(2) of an option that is an int. @throws ENOPROTOOPT */
  setsockopt(fd: number, level: number, name: number, value: number): void;
  /** getsockopt(2) of an option that is an int. @throws ENOPROTOOPT */
  getsockopt(fd: number, level: number, name: number): number;
  /** SO_LINGER on, with this time in seconds; 0: close() sends RST (socket(7)) */
  setLinger(fd: number, seconds: number): void;
  /** getsockopt(TCP_INFO) of a TCP socket. Source: tcp_get_info() */
  tcpInfo(fd: number): TcpInfo;
  /**
   * A function that reads the length of this listener's accept queue (only TCP_INFO's unacked). It is as cheap as a
   * call from JavaScript can be. It keeps the number of the descriptor: do not call it after the descriptor is closed.
   */
  acceptQueueReader(fd: number): () => number;
  /** recv(2): the number of bytes read; 0: end of stream; -1: no data now (EAGAIN) */
  recv(fd: number, into: Uint8Array): number;
  /** send(2): the number of bytes that the kernel took; -1: the send buffer is full (EAGAIN) */
  send(fd: number, data: Uint8Array): number;
  /** shutdown(2); how: 0 SHUT_RD, 1 SHUT_WR, 2 SHUT_RDWR */
  shutdown(fd: number, how: number): void;
  /** pread(2) of the whole file from offset 0 */
  preadText(fd: number): string;
  /**
   * pwrite(2) at offset 0.
   * @throws EINVAL also if the kernel takes only a part: a sysctl of one number takes the first of two
   */
  pwriteText(fd: number, text: string): void;
  /** read(2); throws every error, EAGAIN too. For showing that a listener carries no data (ENOTCONN) */
  read(fd: number, into: Uint8Array): number;
  /** inode of the socket behind fd (fstat) */
  inode(fd: number): number;
  /** The descriptors of this process. Source: getrlimit(2), /proc/self/fd */
  descriptors(): {
    /** soft limit (RLIMIT_NOFILE) */
    soft: number;
    /** hard limit */
    hard: number;
    /** descriptors that are open now */
    open: number;
  };
  /**
   * Waits (uv_poll) until fd is readable (1) or writable (2). timeoutMs 0: checks once and does not wait; Infinity: no
   * time
   * limit.
   * @throws RangeError a negative time or not a number
   */
  poll(
    fd: number,
    events: number,
    timeoutMs: number,
  ): {
    /** true: ready; false: timed out or cancelled */
    promise: Promise<boolean>;
    /** Ends the waiting now. */
    cancel(): void;
  };
  /** A NETLINK_SOCK_DIAG socket of this process's own network namespace. The caller closes it. @throws EMFILE */
  diagSocket(): number;
  /**
   * sock_diag dump of TCP sockets in the states of the mask (1 << TCP_SYN_RECV, …); port 0: any local port. Sockets of
   * IPv4, or with `version` 6 those of IPv6. TCP_SYN_RECV gives requests and Fast Open sockets, TCP_NEW_SYN_RECV
   * requests alone. `protocol`: an IPPROTO number, default 6 (TCP). Source: sock_diag(7). @throws ENOBUFS: rows were
   * lost; ENOENT: the kernel has no sock_diag of this protocol
   */
  diag(diagFd: number, stateMask: number, port: number, version?: 4 | 6, protocol?: number): DiagRows;
  /**
   * How many half-open IPv4 requests the port has; with a `mark` other than 0 how many of them have this SO_MARK, which
   * is that of their listener. @throws ENOBUFS: rows were lost
   */
  requestCount(diagFd: number, port: number, mark: number): number;

  /**
   * All TCP sockets in LISTEN, of IPv4 and IPv6. Source: sock_diag(7), struct inet_diag_msg and its attributes.
   * @throws ENOBUFS: rows were lost; ENOENT: the kernel has no tcp_diag
   */
  listening(diagFd: number): ListeningSocket[];
  /**
   * All UNIX stream and seqpacket sockets in LISTEN. Source: struct unix_diag_msg with UDIAG_SHOW_NAME and UDIAG_SHOW_RQLEN.
   * @throws ENOENT: the kernel has no unix_diag
   */
  unixListening(diagFd: number): UnixListeningSocket[];

  // ── one thread each ────────────────────────────────────────────────────────────────────────────────────
  /** samples a listener's queues */
  Sampler: new (options: SamplerOptions) => Sampler;
  /** drives kernel clients */
  ClientThread: new (options: ClientThreadOptions) => ClientThread;
  /** accepts connections */
  Acceptor: new (options: AcceptorOptions) => Acceptor;
  /** sends the packets of mirror clients back */
  Mirror: new (options: MirrorOptions) => Mirror;
  /** sends the segments of ghosts */
  Ghosts: new (options: GhostsOptions) => Ghosts;

  // ── no thread ──────────────────────────────────────────────────────────────────────────────────────────
  /** sends and takes whole packets */
  WirePort: new (options: WirePortOptions) => WirePort;
}

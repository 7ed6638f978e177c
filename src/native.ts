/**
 * The native addon: the only file that loads it, and the type of every call of it.
 *
 * A call makes one system call or starts one thread. It takes and returns plain numbers, buffers and file
 * descriptors. Failures throw a Node-style system error (`code: "EMFILE"`, `errno`, `syscall`); wrong
 * argument types throw a TypeError, numbers out of range a RangeError. Policy lives in the layers above.
 *
 * Times are milliseconds on CLOCK_MONOTONIC, the clock of `performance.timeOrigin`-free `process.hrtime()`:
 * `now()` reads it. Addresses are dotted IPv4 strings, ports host-order integers.
 */
import path from "node:path";

export interface Endpoint {
  address: string;
  port: number;
}

/** What getsockopt(TCP_INFO) says; on a listener `unacked` is the accept queue and `sacked` its maximum (tcp_get_info()). */
export interface TcpInfo {
  /** include/net/tcp_states.h: 1 ESTABLISHED, 2 SYN_SENT, 3 SYN_RECV, 4 FIN_WAIT1, … 7 CLOSE, 8 CLOSE_WAIT, 10 LISTEN */
  state: number;
  unacked: number;
  sacked: number;
  /** consecutive timeouts of the segment in flight; for SYN_SENT the SYN resends so far */
  retransmits: number;
  totalRetrans: number;
  /** smoothed round-trip time, ms */
  rtt: number;
  rttVar: number;
  /** bit mask: 1 timestamps, 2 SACK, 4 window scaling, 8 ECN, 32 SYN data (Fast Open) */
  options: number;
  sndWscale: number;
  rcvWscale: number;
  sndMss: number;
  rcvMss: number;
  advMss: number;
  pmtu: number;
  bytesAcked: number;
  bytesReceived: number;
  segsOut: number;
  segsIn: number;
}

/** Rows of a sock_diag dump as columns, one entry a socket. Source: inet_diag(7 sock_diag), struct inet_diag_msg. */
export interface DiagRows {
  length: number;
  state: Uint8Array;
  /** IPv4 addresses as host-order integers */
  localAddress: Uint32Array;
  localPort: Uint16Array;
  remoteAddress: Uint32Array;
  remotePort: Uint16Array;
  /** 0 none, 1 retransmit (and SYN-ACK), 2 keepalive, 3 TIME_WAIT, 4 zero window probe */
  timer: Uint8Array;
  retransmits: Uint8Array;
  /** ms until the timer fires */
  expires: Uint32Array;
  /** LISTEN: accept queue length; else unread bytes */
  receiveQueue: Uint32Array;
  /** LISTEN: accept queue maximum; else unacknowledged bytes */
  sendQueue: Uint32Array;
  uid: Uint32Array;
  /** 0 for sockets without a descriptor: requests and connections not yet accepted */
  inode: Float64Array;
}

export interface HostReply {
  fields: string[];
  fds: Int32Array;
}

/** One queue sample a row; values hold until the next row (unchanged samples are not stored again). */
export interface QueueRows {
  /** ms since `startedAt` */
  time: Float64Array;
  acceptQueue: Uint32Array;
  /** one less than the places there are: of one listener min(backlog, somaxconn), of several that share the port the same for all together */
  acceptMax: Uint32Array;
  synQueue: Uint32Array;
  /** connections taken by acceptors added with addAcceptor(), cumulative */
  accepted: Uint32Array;
}

/** Where several listeners share the port, from the moment that they do; else no rows. */
export interface SharingRows {
  /** ms since `startedAt` */
  time: Float64Array;
  /** how many there are */
  listeners: Uint32Array;
  /** accept queue and maximum of the one that is fullest for its size: a new connection that the kernel gives to it finds no room, whatever the others have */
  fullest: Uint32Array;
  fullestMax: Uint32Array;
}

export interface SamplerRows {
  queues: QueueRows;
  listeners: SharingRows;
  /** `columns[i]` belongs to `counters.names[i]`: increase since the sampler started. sockstat and meminfo hold gauges, not counts: of them the value itself. */
  counters: { time: Float64Array; columns: Float64Array[] };
  /** number of clients in each state (index: ClientState), summed over all added ClientThreads */
  clients: { time: Float64Array; columns: Uint32Array[] };
  /** samples taken so far, stored or not */
  samples: number;
  /** samples skipped because the thread woke a whole period late */
  missed: number;
  /** CPU time the sampling thread has used so far, ms (CLOCK_THREAD_CPUTIME_ID) */
  cpu: number;
  /** errno of a failed reading, 0 if none; the thread has stopped then */
  error: number;
  errorSyscall: string;
}

export interface SamplerOptions {
  /** listening socket read by TCP_INFO (0.3 us), or -1 to read LISTEN by sock_diag and port (some 10 us: the kernel walks the table of listeners) */
  listenerFd: number;
  /** a NETLINK_SOCK_DIAG socket of the Lab, used by this sampler alone; -1: no SYN queue */
  diagFd: number;
  port: number;
  /** true: look by sock_diag at IPv6 sockets as well as IPv4 */
  ipv6?: boolean;
  hz: number;
  /**
   * Most that counting the SYN queue may take of a core, 0.0001 to 1. Default 0.2. The kernel walks all sockets of the namespace for it (3.5 us
   * in a Lab, milliseconds on a host): where a sample of it takes too much, the next ones keep the last length until it may be counted again.
   */
  synQueueShare?: number;
  counters?: {
    /** /proc/net/netstat, /proc/net/snmp, /proc/net/sockstat of the Lab, read with pread; -1 leaves one out */
    netstatFd: number;
    snmpFd: number;
    sockstatFd: number;
    /** /proc/meminfo of the machine */
    meminfoFd?: number;
    hz: number;
    /** "TcpExt.ListenDrops", "Tcp.AttemptFails", "sockstat.TCP.inuse", "meminfo.Slab", … an unknown name throws a RangeError at start() */
    names: string[];
  };
}

/** A thread that samples a listener into columns at up to 10 kHz. */
export interface Sampler {
  /** CLOCK_MONOTONIC ms of time zero; valid after start() */
  readonly startedAt: number;
  start(): void;
  /** Client states are sampled (at `hz`) from the moment a ClientThread is added. */
  addClients(clients: ClientThread | Ghosts): void;
  addAcceptor(acceptor: Acceptor): void;
  /** Rows since the last drain() as fresh arrays. The last state is stored by stop(), so that step plots reach the end. */
  drain(): SamplerRows;
  /** Joins the thread. drain() stays callable. Idempotent. */
  stop(): void;
}

/** The states of a client. Indexes of ClientThread.counts() and of SamplerRows.clients.columns. */
export const ClientState = {
  idle: 0,
  synSent: 1,
  established: 2,
  refused: 3,
  timedOut: 4,
  reset: 5,
  /** the server ended it with FIN */
  closedByServer: 6,
  /** we closed or reset it */
  closed: 7,
  failed: 8,
} as const;
export const clientStates = 9;

export interface ClientThreadOptions {
  /** non-blocking unconnected TCP sockets; owned by the thread from now on */
  fds: Int32Array;
  address: string;
  port: number;
  /** local addresses bound (IP_BIND_ADDRESS_NO_PORT) to the sockets in turn; empty: the kernel chooses */
  sources: string[];
  /** connects a second, evenly spaced; 0: as fast as one thread can */
  rate: number;
  /** or the moment of each connect(), ms after start(), ascending, one per fd */
  schedule?: Float64Array;
}

/** A thread that drives real kernel clients through connect() and watches what becomes of them (epoll). */
export interface ClientThread {
  readonly length: number;
  /** CLOCK_MONOTONIC ms of start() */
  readonly startedAt: number;
  start(): void;
  /** clients in each ClientState, length 9 */
  counts(): Uint32Array;
  states(): Uint8Array;
  /** ms after start() at which connect() was called; NaN: not yet */
  connectAt(): Float64Array;
  /** ms from connect() to ESTABLISHED; NaN: not (yet) */
  latency(): Float64Array;
  /** ms after start() of the last change of state; NaN: none */
  changedAt(): Float64Array;
  /** errno that ended each client, 0 if none */
  errnos(): Int32Array;
  bytesReceived(): Float64Array;
  /** bound and connected local port; 0 until known */
  localPorts(): Uint16Array;
  /** Queue an action for the given clients (all if null); the thread carries it out. Clients in no state for it are left out, and so is one whose buffer cannot take all of `data`. Resolves to how many did it. */
  send(which: Int32Array | null, data: Uint8Array): Promise<number>;
  close(which: Int32Array | null): Promise<number>;
  /** close with SO_LINGER 0: RST */
  reset(which: Int32Array | null): Promise<number>;
  shutdown(which: Int32Array | null): Promise<number>;
  /** Take an fd out of the thread's hands; the caller owns it, and the client stays in the state it is in. -1 if it is closed. */
  release(index: number): number;
  /** descriptor numbers, for TCP_INFO; -1 where closed. Still owned by the thread. */
  fds(): Int32Array;
  /** Joins the thread and closes the fds it owns, off the JavaScript thread. Idempotent. */
  stop(): Promise<void>;
}

export interface AcceptorOptions {
  listenerFd: number;
  /** accepts a second, evenly spaced; 0: as fast as possible */
  rate: number;
  /** stop by itself after so many; 0: no limit */
  limit: number;
  /** keep: hand descriptors over; close: close each at once */
  mode: "keep" | "close";
  /** Batches of accepted descriptors, at most every few ms. Called with an empty array once, when the loop has ended. */
  onBatch: (fds: Int32Array) => void;
}

/** A thread that runs epoll_wait + accept4. */
export interface Acceptor {
  start(): void;
  pause(): void;
  resume(): void;
  setRate(rate: number): void;
  stats(): {
    accepted: number;
    /** EMFILE, ENFILE, ENOBUFS, ENOMEM answers; the loop waits 10 ms after each, it never spins */
    exhausted: number;
    wakeups: number;
    running: boolean;
    paused: boolean;
    /** errno that ended the loop, 0 if none */
    error: number;
  };
  /** Joins the thread; descriptors not yet handed over are delivered by a last onBatch. Idempotent. */
  stop(): Promise<void>;
}

export interface MirrorOptions {
  /** AF_PACKET SOCK_RAW socket on the far end of the link; owned by the mirror from now on */
  packetFd: number;
  ifindex: number;
  /** only IPv4 TCP whose destination lies in this network is turned round: address and prefix length */
  network: string;
  prefix: number;
  /** ms for the whole round trip; half is waited in each direction */
  rtt: number;
  /** probability that a packet is lost, 0..1 */
  loss: number;
  /** keep the last so many packets for log() */
  logCapacity: number;
}

/** Packets the mirror saw, oldest first. */
export interface PacketLog {
  length: number;
  /** CLOCK_MONOTONIC ms of arrival at the mirror */
  time: Float64Array;
  source: Uint32Array;
  destination: Uint32Array;
  sourcePort: Uint16Array;
  destinationPort: Uint16Array;
  flags: Uint8Array;
  sequence: Uint32Array;
  acknowledgment: Uint32Array;
  payload: Uint32Array;
  /** 1: lost on purpose */
  lost: Uint8Array;
}

/** A thread on the far end of the link that swaps the addresses of packets and sends them back after half a round-trip time. */
export interface Mirror {
  start(): void;
  setRtt(ms: number): void;
  setLoss(probability: number): void;
  stats(): { received: number; turned: number; lost: number; waiting: number; kernelDrops: number; error: number };
  /** Packets since the last log(). */
  log(): PacketLog;
  stop(): void;
}

export interface WirePortOptions {
  /** AF_PACKET SOCK_RAW socket on the far end of the link; owned by the port from now on */
  packetFd: number;
  ifindex: number;
  /** hardware addresses of the far end and of the Lab's: the link header of what is sent */
  fromHardware: string;
  toHardware: string;
  /** only IPv4 TCP to this network is taken … */
  network: string;
  prefix: number;
  /** … and not to these (at most 50) */
  except: { network: string; prefix: number }[];
}

/** Whole IPv4 packets in and out at the far end of the link. No thread: what arrives waits in a ring of some thousands, stamped by the kernel. */
export interface WirePort {
  /** readable when packets wait: for poll(); -1 once closed */
  readonly fd: number;
  /** One packet from its IPv4 header on, sent as it is. @throws EMSGSIZE above the MTU, ENOBUFS */
  send(packet: Uint8Array): void;
  /** What has arrived since the last take(), oldest first; time: CLOCK_MONOTONIC ms of arrival. */
  take(): { time: Float64Array; packets: Uint8Array[] };
  /** packets for which the ring had no room */
  drops(): number;
  /** Idempotent. */
  close(): void;
}

export interface GhostsOptions {
  /** as in WirePortOptions */
  packetFd: number;
  ifindex: number;
  fromHardware: string;
  toHardware: string;
  /** the Lab's listener */
  address: string;
  port: number;
  /** ghost i has address number (first + i) mod 2^(32 - prefix) of this network, and port 1024 and up, another one when the addresses are used up */
  network: string;
  prefix: number;
  first: number;
  /** 1 to 100,000,000 */
  count: number;
  /** "syn": a SYN and no more; "handshake": SYN and ACK; "ack": an ACK with random numbers */
  kind: "syn" | "handshake" | "ack";
  /** first segments a second, evenly spaced; 0: as fast as one thread can (handshakes: 256 under way) */
  rate: number;
  /** what a SYN offers; mss 0, windowScale -1: nothing of the kind */
  offer: { mss: number; windowScale: number; sack: boolean; timestamps: boolean };
  /** sequence numbers are made of it; 32 bits */
  seed: number;
}

/** A thread that speaks the clients' part of handshakes, without sockets. Ghosts acknowledge data, and answer a FIN with RST. */
export interface Ghosts {
  start(): void;
  /** ghosts in each ClientState, length 9; "syn" ghosts stay synSent */
  counts(): Uint32Array;
  /** a copy */
  states(): Uint8Array;
  stats(): {
    /** first segments handed to the link */
    sent: number;
    /** ghosts that got a SYN-ACK */
    answered: number;
    /** ghosts whose first segment was answered by RST */
    refused: number;
    /** SYN-ACKs that came again */
    repeated: number;
    /** given up: the link had no room for a second */
    unsent: number;
    /** answers that found no room */
    kernelDrops: number;
    /** CLOCK_MONOTONIC ms */
    startedAt: number;
    lastSentAt: number;
    lastAnswerAt: number;
    resetDone: boolean;
    /** errno that ended the thread, 0 if none */
    error: number;
  };
  /** All that are half-open or connected send RST, and no more are sent; see stats().resetDone. */
  reset(): void;
  /** Joins the thread. Counts stay readable. Idempotent. */
  stop(): void;
}

export interface NativeAddon {
  /** CLOCK_MONOTONIC, ms */
  now(): number;

  // ── the lab host ───────────────────────────────────────────────────────────────────────────────────────
  /** posix_spawn in a session of its own, its fd 3 the far end of a SOCK_SEQPACKET pair. @throws ENOENT, EAGAIN, EMFILE */
  startHost(program: string, args: string[]): { fd: number; pid: number };
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
  /** accept4 until EAGAIN, an error or `limit`. An error after the first connection is kept for the next call. */
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
  /** at offset 0 */
  pwriteText(fd: number, text: string): void;
  /** read(2) itself, errors thrown: for showing that a listener carries no data */
  read(fd: number, into: Uint8Array): number;
  /** inode of the socket behind fd (fstat) */
  inode(fd: number): number;
  /** soft and hard limit and descriptors open now in this process */
  descriptors(): { soft: number; hard: number; open: number };
  /** Waits (uv_poll) until fd is readable (1) or writable (2). false: timed out or cancelled. timeoutMs < 0: no limit; 0: as it is now. */
  poll(fd: number, events: number, timeoutMs: number): { promise: Promise<boolean>; cancel(): void };
  /** A NETLINK_SOCK_DIAG socket of this process's own network namespace. The caller closes it. @throws EMFILE */
  diagSocket(): number;
  /**
   * sock_diag dump of TCP sockets in the states of the mask (1 << TCP_SYN_RECV, …); port 0: any local port. Sockets of IPv4, or with
   * `version` 6 those of IPv6, whose IPv4-mapped addresses are told as IPv4's (and :: as 0.0.0.0). @throws ENOBUFS
   */
  diag(diagFd: number, stateMask: number, port: number, version?: 4 | 6): DiagRows;

  // ── one thread each ────────────────────────────────────────────────────────────────────────────────────
  Sampler: new (options: SamplerOptions) => Sampler;
  ClientThread: new (options: ClientThreadOptions) => ClientThread;
  Acceptor: new (options: AcceptorOptions) => Acceptor;
  Mirror: new (options: MirrorOptions) => Mirror;
  Ghosts: new (options: GhostsOptions) => Ghosts;

  // ── no thread ──────────────────────────────────────────────────────────────────────────────────────────
  WirePort: new (options: WirePortOptions) => WirePort;
}

const builtDirectory = path.join(__dirname, "..", "native", "build", "Release");

/** The lab host program, built beside the addon. */
export const hostProgram = path.join(builtDirectory, "lab-host");

/** A process that only accepts and holds, built beside the addon; see native/worker. */
export const acceptWorkerProgram = path.join(builtDirectory, "accept-worker");

function load(): NativeAddon {
  if (process.platform !== "linux") {
    throw new Error(`One Listener looks inside the Linux kernel and runs on Linux only; this is ${process.platform}. A Linux virtual machine or container serves.`);
  }
  try {
    return require(path.join(builtDirectory, "one_listener.node")) as NativeAddon;
  } catch (cause) {
    throw new Error("The native addon is not built for this Node.js. Run: npm run build", { cause });
  }
}

export const native: NativeAddon = load();

import type { Acceptor } from "./acceptor";
import type { ClientThread } from "./clients";
import type { Ghosts } from "./link";

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
  /** Joins the thread off the JavaScript thread, after one last sample; resolves when it has ended. drain() stays callable. Idempotent. */
  stop(): Promise<void>;
}

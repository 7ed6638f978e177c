import type { Acceptor } from "./acceptor";
import type { ClientThread } from "./clients";
import type { Ghosts } from "./link";

/** Samples of the queues as columns, one row per change: each value holds until the next row. */
export interface QueueRows {
  /** ms since `startedAt` */
  time: Float64Array;
  /** length of the accept queue, connections; the sum of all listeners on the port */
  acceptQueue: Uint32Array;
  /**
   * limit of the accept queue, one less than its capacity: min(backlog, somaxconn). Of several listeners that share the
   * port: one less than the sum of their capacities
   */
  acceptMax: Uint32Array;
  /**
   * length of the SYN queue, half-open requests: of the listener (`mark`), of those bound to `address`, or of the port
   */
  synQueue: Uint32Array;
  /** connections taken by acceptors added with addAcceptor(), cumulative */
  accepted: Uint32Array;
}

/**
 * Samples of a port that several listeners share (SO_REUSEPORT), from the moment that they share it. Otherwise there
 * are no rows.
 */
export interface SharingRows {
  /** ms since `startedAt` */
  time: Float64Array;
  /** the number of listeners */
  listeners: Uint32Array;
  /**
   * accept queue length of the listener that is fullest for its size: the kernel drops a SYN for a full listener, even
   * when another one has room
   */
  fullest: Uint32Array;
  /** queue limit of that listener */
  fullestMax: Uint32Array;
}

/** The rows since the last take(). */
export interface SamplerRows {
  /** the queues */
  queues: QueueRows;
  /** the listeners that share the port */
  listeners: SharingRows;
  /** the counters */
  counters: {
    /** ms since `startedAt` */
    time: Float64Array;
    /**
     * `columns[i]` belongs to `counters.names[i]` of the options: the increase since start(). sockstat and meminfo hold
     * gauges, and their columns hold the values themselves.
     */
    columns: Float64Array[];
  };
  /** the states of the clients */
  clients: {
    /** ms since `startedAt` */
    time: Float64Array;
    /** number of clients in each state (index: ClientState), summed over all added threads */
    columns: Uint32Array[];
  };
  /** samples taken so far, stored or not */
  samples: number;
  /** samples skipped because the thread woke a whole period late */
  missed: number;
  /** CPU time the sampling thread has used so far, ms (CLOCK_THREAD_CPUTIME_ID) */
  cpu: number;
  /** errno of a read that failed; 0 if none. The thread has ended then */
  error: number;
  /** the system call that failed; "" if none */
  errorSyscall: string;
}

/** What a sampler reads, and how often. */
export interface SamplerOptions {
  /**
   * the listening socket, read by TCP_INFO (0.3 µs); -1: reads the listeners of `port` by sock_diag (about 10 µs,
   * because the kernel walks the table of listeners)
   */
  listenerFd: number;
  /** a NETLINK_SOCK_DIAG socket of the Lab, used by this sampler alone; -1: no SYN queue */
  diagFd: number;
  /** the listener's port */
  port: number;
  /** SO_MARK of the listener: only its requests are counted. Default 0: it has none */
  mark?: number;
  /**
   * IPv4 or IPv6 address: only listeners bound to it, and the requests that the kernel's lookup gives to them
   * (inet_lookup_listener(): the exact address before the wildcard). Default: all of the port
   */
  address?: string;
  /** index of the interface that the listener is bound to (SO_BINDTODEVICE), 0: to none. Default: any of them */
  device?: number;
  /** true: goes on while no socket listens; the accept queue is 0 meanwhile. Default false: ends with ENOENT */
  stay?: boolean;
  /** true: sock_diag reads IPv6 sockets, too; default false */
  ipv6?: boolean;
  /** samples per second, at most 10,000 */
  hz: number;
  /**
   * The largest share of one CPU core that counting the SYN queue may use: 0.0001 to 1, default 0.2. The kernel walks
   * all sockets of the namespace for it (3.5 µs in a Lab, milliseconds on a host). If a count takes more than its
   * share, the next samples repeat the last length until the thread may count again.
   */
  synQueueShare?: number;
  /** the counters to read; default: none */
  counters?: {
    /** /proc/net/netstat of the Lab, read with pread(2); -1 leaves it out */
    netstatFd: number;
    /** /proc/net/snmp of the Lab; -1 leaves it out */
    snmpFd: number;
    /** /proc/net/sockstat of the Lab; -1 leaves it out */
    sockstatFd: number;
    /** /proc/meminfo of the machine */
    meminfoFd?: number;
    /** samples per second */
    hz: number;
    /**
     * "TcpExt.ListenDrops", "Tcp.AttemptFails", "sockstat.TCP.inuse", "meminfo.Slab", …; an unknown name makes start()
     * throw a RangeError
     */
    names: string[];
  };
}

/** A thread that samples a listener into columns at up to 10 kHz. */
export interface Sampler {
  /** CLOCK_MONOTONIC ms of time zero; valid after start() */
  readonly startedAt: number;
  /** Starts the thread. @throws EAGAIN; RangeError an unknown counter */
  start(): void;
  /** Client states are sampled (at `hz`) from the moment a ClientThread is added. */
  addClients(clients: ClientThread | Ghosts): void;
  /** Counts the connections of this acceptor, too, in `accepted`. */
  addAcceptor(acceptor: Acceptor): void;
  /**
   * Rows since the last take() as fresh arrays. The last state is stored by stop(), so that step plots reach the end.
   */
  take(): SamplerRows;
  /**
   * Takes one last sample and joins the thread, on a worker thread. Resolves when it has ended. take() stays callable.
   * Idempotent.
   */
  stop(): Promise<void>;
}

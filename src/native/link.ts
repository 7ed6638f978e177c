/**
 * The far end of a Lab's link: a mirror returns segments after a round-trip time, a wire port sends and takes single
 * packets, and ghosts send segments by the million.
 */

/** How a mirror works. */
export interface MirrorOptions {
  /** AF_PACKET SOCK_RAW socket on the far end of the link; owned by the mirror from now on */
  packetFd: number;
  /** interface index of the far end */
  ifindex: number;
  /** first address of the network whose packets the mirror returns: IPv4 TCP with a destination in it */
  network: string;
  /** bits of its prefix */
  prefix: number;
  /** round-trip time in ms; the mirror waits half of it in each direction */
  rtt: number;
  /** probability that a packet is lost, 0..1 */
  loss: number;
  /** the most packets that the log holds; it keeps the last ones */
  logCapacity: number;
}

/** The packets that a mirror took, oldest first, as columns: entry i of each array belongs to packet i. */
export interface PacketLog {
  /** the number of packets */
  length: number;
  /** CLOCK_MONOTONIC ms of arrival at the mirror */
  time: Float64Array;
  /** IPv4 addresses as host-order integers */
  source: Uint32Array;
  /** IPv4 addresses as host-order integers */
  destination: Uint32Array;
  /** ports */
  sourcePort: Uint16Array;
  /** ports */
  destinationPort: Uint16Array;
  /** TCP's flags (RFC 9293): 1 FIN, 2 SYN, 4 RST, 8 PSH, 16 ACK, 32 URG, 64 ECE, 128 CWR */
  flags: Uint8Array;
  /** sequence numbers */
  sequence: Uint32Array;
  /** acknowledgment numbers */
  acknowledgment: Uint32Array;
  /** bytes of data */
  payload: Uint32Array;
  /** 1: dropped because of `loss` */
  lost: Uint8Array;
}

/**
 * A thread on the far end of the link that swaps the addresses of packets and sends them back after half a round-trip
 * time.
 */
export interface Mirror {
  /** Starts the thread. @throws EAGAIN */
  start(): void;
  /** @param ms the round-trip time of packets that arrive from now on */
  setRtt(ms: number): void;
  /** @param probability of loss from now on, 0..1 */
  setLoss(probability: number): void;
  /** Counts since start(). */
  stats(): {
    /** packets that arrived */
    received: number;
    /** packets that were sent back */
    returned: number;
    /** packets dropped because of `loss` */
    lost: number;
    /** packets that wait for their time to be sent back */
    waiting: number;
    /** packets for which the ring had no room (PACKET_STATISTICS, packet(7)) */
    kernelDrops: number;
    /** errno that ended the thread; 0 if none */
    error: number;
  };
  /** Packets since the last log(). */
  log(): PacketLog;
  /**
   * Ends the thread and frees its socket and ring, on a worker thread. Resolves when they are gone. Packets that still
   * wait are dropped. Counts and log stay readable. Idempotent.
   */
  stop(): Promise<void>;
}

/** How a wire port sends and takes packets. */
export interface WirePortOptions {
  /** AF_PACKET SOCK_RAW socket on the far end of the link; owned by the port from now on */
  packetFd: number;
  /** interface index of the far end */
  ifindex: number;
  /** hardware address of the far end, the sender of every packet: "02:00:00:00:00:02" */
  fromHardware: string;
  /** hardware address of the Lab's end, the destination of every packet */
  toHardware: string;
  /** first address of the network whose packets the port takes: IPv4 TCP with a destination in it */
  network: string;
  /** bits of its prefix */
  prefix: number;
  /** networks in it whose packets the port does not take; at most 50 */
  except: {
    /** first address */
    network: string;
    /** bits of the prefix */
    prefix: number;
  }[];
}

/**
 * Sends and takes whole IPv4 packets at the far end of the link. It has no thread: packets that arrive wait in a ring,
 * which holds some thousands, with the kernel's timestamp.
 */
export interface WirePort {
  /** readable when packets wait: for poll(); -1 once closed */
  readonly fd: number;
  /** Sends one packet, from its IPv4 header on, without a change. @throws EMSGSIZE larger than the MTU; ENOBUFS */
  send(packet: Uint8Array): void;
  /** The packets that have arrived since the last take(), oldest first. */
  take(): {
    /** ms of arrival, CLOCK_MONOTONIC; one for each packet */
    time: Float64Array;
    /** each packet from its IPv4 header on */
    packets: Uint8Array[];
  };
  /** packets for which the ring had no room */
  drops(): number;
  /** Closes the socket and frees the ring. Idempotent. */
  close(): void;
}

/** Which ghosts a thread makes, and how. */
export interface GhostsOptions {
  /** as in WirePortOptions; owned by the thread from now on */
  packetFd: number;
  /** as in WirePortOptions */
  ifindex: number;
  /** as in WirePortOptions */
  fromHardware: string;
  /** as in WirePortOptions */
  toHardware: string;
  /** the listener's IPv4 address */
  address: string;
  /** the listener's port */
  port: number;
  /**
   * First address of the ghosts' network. Ghost i has address number (first + i) mod 2^(32 - prefix) of it. Ports begin
   * at 1024, and the next port is used when every address has been.
   */
  network: string;
  /** bits of its prefix */
  prefix: number;
  /** number of the first ghost's address in the network */
  first: number;
  /** the number of ghosts: 1 to 100,000,000 */
  count: number;
  /** "syn": a SYN only; "handshake": SYN and final ACK; "ack": an ACK with random numbers only */
  kind: "syn" | "handshake" | "ack";
  /** first segments per second, evenly spaced; 0: as fast as one thread can (handshakes: 256 under way) */
  rate: number;
  /** the options of each SYN */
  offer: {
    /** maximum segment size in bytes; 0: no such option */
    mss: number;
    /** window scale, 0 to 14 (RFC 7323); -1: no such option */
    windowScale: number;
    /** SACK permitted (RFC 2018) */
    sack: boolean;
    /** timestamps (RFC 7323) */
    timestamps: boolean;
  };
  /** the sequence numbers are computed from it; 32 bits */
  seed: number;
}

/**
 * A thread that sends the clients' segments of handshakes, without sockets. Ghosts acknowledge data, and answer a FIN
 * with RST.
 */
export interface Ghosts {
  /** Starts the thread. @throws EAGAIN */
  start(): void;
  /** ghosts in each ClientState, length 9; "syn" ghosts stay synSent */
  counts(): Uint32Array;
  /** the ClientState of each ghost, a copy; length: `count` */
  states(): Uint8Array;
  /** Counts since start(). */
  stats(): {
    /** first segments that the link took */
    sent: number;
    /** ghosts that got a SYN-ACK */
    answered: number;
    /** ghosts whose first segment was answered by RST */
    refused: number;
    /** SYN-ACKs that the kernel retransmitted */
    repeated: number;
    /** first segments not sent, because the link had no room for 1 s */
    unsent: number;
    /** answers for which the ring had no room */
    kernelDrops: number;
    /** moment of start(): ms, CLOCK_MONOTONIC */
    startedAt: number;
    /** moment of the last first segment: ms, CLOCK_MONOTONIC */
    lastSentAt: number;
    /** moment of the last answer: ms, CLOCK_MONOTONIC */
    lastAnswerAt: number;
    /** reset() was called, and every RST has been sent */
    resetDone: boolean;
    /** errno that ended the thread; 0 if none */
    error: number;
  };
  /** Sends RST for every ghost that is half-open or ESTABLISHED, and starts no more ghosts; see stats().resetDone. */
  reset(): void;
  /**
   * Ends the thread and frees its socket and ring, on a worker thread. Resolves when they are gone. Counts stay
   * readable. Idempotent.
   */
  stop(): Promise<void>;
}

/** The far end of a Lab's link: what turns segments round, writes them by hand, and sends them by the million. */
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
  /** packets that log() can hold: the last ones */
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
  /** Ends the thread and frees its socket and ring, on a worker thread; resolves when they are gone. What waits is lost. Counts and log stay. */
  stop(): Promise<void>;
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
  /** first segments per second, evenly spaced; 0: as fast as one thread can (handshakes: 256 under way) */
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
  /** Joins the thread and frees its socket and ring, off the JavaScript thread; resolves when they are gone. Counts stay readable. Idempotent. */
  stop(): Promise<void>;
}

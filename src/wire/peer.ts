/**
 * A peer: a client without a socket, whose segments the caller writes. It sends nothing by itself, so a handshake can
 * be stopped at every step.
 */
import { types } from "node:util";
import { ArgumentError, ClosedError, LabError, requireInteger, requireKnown } from "../errors";
import type { Endpoint } from "../native";
import { requireTimeout } from "../waiting/timeout";
import { msUntil } from "../waiting/until";
import {
  bytesOf,
  changeNames,
  type HandshakeOptions,
  type PeerOptions,
  rawNames,
  type ReceiveOptions,
  type SegmentChanges,
  synNames,
  type SynOptions,
  synOptions,
  timestamps,
} from "./peer-options";
import { optionOf, type Segment, type SegmentFields, segment, sequenceLength } from "./segment";

/** ms that receive() waits for a segment */
const defaultTimeout = 1000;
/** What a peer needs of its wire. */
export interface WireEnd {
  /** true: nothing is sent, and nothing arrives any more */
  readonly closed: boolean;
  /** Sends a packet, and takes in what has arrived. */
  transmit(bytes: Uint8Array | SegmentFields): Segment | undefined;
  /** Takes in what has arrived. */
  collect(): void;
}

/** A client of one listener, written segment by segment; see Wire.peer(). */
export class Peer {
  /** the next sequence number that this peer sends */
  sequence: number;
  /** the next sequence number that this peer expects */
  acknowledgment = 0;
  /** the peer's initial sequence number */
  readonly initialSequence: number;
  /** the kernel's initial sequence number, from its SYN-ACK on */
  initialOfKernel?: number;
  private readonly window: number;
  private readonly inbox: Segment[] = [];
  private timestamps = false;
  private echo = 0;
  private offered = false;

  /** Wire.peer() makes it. */
  constructor(
    private readonly wire: WireEnd,
    /** address and port of this peer */
    readonly local: Endpoint,
    /** address and port of the listener */
    readonly remote: Endpoint,
    options: PeerOptions,
  ) {
    this.initialSequence = requireInteger(
      options.sequence ?? Math.floor(Math.random() * 2 ** 32),
      "sequence",
      0,
      0xffffffff,
    );
    this.window = requireInteger(options.window ?? 65_535, "window", 0, 65_535);
    this.sequence = this.initialSequence;
  }

  /** the peer's IPv4 address */
  get address(): string {
    return this.local.address;
  }

  /** the peer's port */
  get port(): number {
    return this.local.port;
  }

  /**
   * Sends a SYN with the peer's initial sequence number; a second call retransmits it.
   * Options: `mss`, `windowScale`, `sack`, `timestamps`, `fastOpen`, `data`.
   * @throws ArgumentError; ClosedError
   */
  syn(options: SynOptions = {}): Segment {
    requireKnown(options, synNames, "syn()");
    const offer = synOptions(options);
    const payload = bytesOf(options.data);
    // transmit() takes in the answer
    this.sequence = (this.initialSequence + 1) >>> 0;
    this.offered = options.timestamps === true;
    return this.transmit({ flags: { syn: true }, sequence: this.initialSequence, options: offer, payload });
  }

  /** Sends an ACK of everything that has arrived in order. @throws SegmentError; ArgumentError; ClosedError */
  ack(changes: SegmentChanges = {}): Segment {
    requireKnown(changes, changeNames, "ack()");
    return this.transmit({ ...this.next(changes), flags: { ack: true, ...changes.flags } });
  }

  /**
   * Sends data in one segment, with PSH and ACK.
   * @throws LabError EMSGSIZE: with its headers it is longer than the link's MTU of 1500 bytes; SegmentError;
   * ArgumentError; ClosedError
   */
  send(data: string | Uint8Array, changes: SegmentChanges = {}): Segment {
    requireKnown(changes, changeNames, "send()");
    const payload = bytesOf(data);
    if (payload.length === 0) throw new ArgumentError("send() needs data.", "ack() sends a segment without data.");
    const sent = this.transmit({ ...this.next(changes), flags: { ack: true, psh: true, ...changes.flags }, payload });
    if (changes.sequence === undefined) this.sequence = (this.sequence + payload.length) >>> 0;
    return sent;
  }

  /** Sends FIN with ACK: no more data will follow. @throws SegmentError; ArgumentError; ClosedError */
  fin(changes: SegmentChanges = {}): Segment {
    requireKnown(changes, changeNames, "fin()");
    const sent = this.transmit({ ...this.next(changes), flags: { fin: true, ack: true, ...changes.flags } });
    if (changes.sequence === undefined) this.sequence = (this.sequence + 1) >>> 0;
    return sent;
  }

  /**
   * Sends RST with the next sequence number, the only one that resets the connection in any case (RFC 5961, 3.2).
   * @throws SegmentError; ArgumentError; ClosedError
   */
  rst(changes: SegmentChanges = {}): Segment {
    requireKnown(changes, changeNames, "rst()");
    return this.transmit({ sequence: this.sequence, window: 0, ...changes, flags: { rst: true, ...changes.flags } });
  }

  /**
   * Sends any segment: fields that are left out are this peer's ends, its window, and the defaults of segment(). Bytes
   * are sent as they are.
   * @returns the segment; undefined if the bytes are not one
   * @throws SegmentError; LabError EMSGSIZE; ArgumentError; ClosedError
   */
  raw(fields: Partial<SegmentFields> | Uint8Array): Segment | undefined {
    if (types.isUint8Array(fields)) return this.wire.transmit(fields);
    requireKnown(fields, rawNames, "raw()");
    return this.transmit(fields);
  }

  /**
   * The oldest segment that has not been received; waits for one.
   * Options: `timeout` (ms, default 1000).
   * @throws LabError ETIMEDOUT: no segment arrived in time; ArgumentError; ClosedError
   */
  async receive(options: ReceiveOptions = {}): Promise<Segment> {
    requireKnown(options, ["timeout"], "receive()");
    const timeout = requireTimeout(options.timeout ?? defaultTimeout);
    await msUntil(() => {
      this.wire.collect();
      if (this.inbox.length === 0 && this.wire.closed) throw new ClosedError("Wire");
      return this.inbox.length > 0;
    }, timeout);
    const oldest = this.inbox.shift();
    if (oldest) return oldest;
    throw new LabError(`No segment arrived at ${this.address}:${this.port} within ${timeout} ms.`, {
      code: "ETIMEDOUT",
      hint: "The kernel sends no answer when a queue is full, and nothing on a connection without data.",
    });
  }

  /** The oldest segment that has not been received, or null. Never waits. */
  tryReceive(): Segment | null {
    this.wire.collect();
    return this.inbox.shift() ?? null;
  }

  /** All segments that have not been received, oldest first. Never waits. */
  receiveAll(): Segment[] {
    this.wire.collect();
    return this.inbox.splice(0);
  }

  /**
   * Sends a SYN, waits for the SYN-ACK, and sends the ACK.
   * Options: `timeout` (ms, default 1000), and those of syn().
   * @returns the SYN-ACK
   * @throws LabError ETIMEDOUT: no answer; ECONNREFUSED: the kernel answered with RST; ArgumentError; ClosedError
   */
  async handshake(options: HandshakeOptions = {}): Promise<Segment> {
    requireKnown(options, [...synNames, "timeout"], "handshake()");
    const { timeout = defaultTimeout, ...syn } = options;
    requireTimeout(timeout);
    this.syn(syn);
    const answer = await this.receive({ timeout });
    if (answer.flags.rst)
      throw new LabError(`The kernel answered the SYN to port ${this.remote.port} with RST.`, {
        code: "ECONNREFUSED",
        hint: "No socket listens on this port.",
      });
    this.ack();
    return answer;
  }

  /** For the wire: takes a segment in. */
  deliver(came: Segment): void {
    this.inbox.push(came);
    if (came.flags.syn) {
      this.initialOfKernel = came.sequence;
      this.timestamps = this.offered && optionOf(came, "timestamps") !== undefined;
      this.acknowledgment = (came.sequence + 1) >>> 0;
      // data of the SYN that the kernel has accepted with it (Fast Open)
      const taken = (came.acknowledgment - this.sequence) >>> 0;
      if (came.flags.ack && taken > 0 && taken < 65_536) this.sequence = came.acknowledgment;
    } else if (came.sequence === this.acknowledgment) {
      this.acknowledgment = (this.acknowledgment + sequenceLength(came)) >>> 0;
    }
    this.echo = optionOf(came, "timestamps")?.value ?? this.echo;
  }

  private next(changes: SegmentChanges): SegmentChanges {
    return {
      sequence: this.sequence,
      acknowledgment: this.acknowledgment,
      ...(this.timestamps && { options: timestamps(this.echo) }),
      ...changes,
    };
  }

  private transmit(fields: Partial<SegmentFields>): Segment {
    const whole = { source: this.local, destination: this.remote, window: this.window, ...fields };
    return this.wire.transmit(whole) ?? segment(whole);
  }
}

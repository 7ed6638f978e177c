/**
 * A peer: the client's end of one connection, spoken by hand. Nothing is sent that the caller does not send, so a handshake can be frozen
 * at every step.
 */
import { types } from "node:util";
import { ArgumentError, LabError, requireBoolean, requireInteger, requireKnown, requireNumber } from "../errors";
import { Endpoint, native } from "../native";
import type { TcpOption } from "./options";
import { optionOf, Segment, SegmentFields, segment, sequenceLength } from "./segment";

export interface PeerOptions {
  /** any of 10.0.0.0/8 but what belongs to the Lab, to mirrors and to ghosts. Default: 10.2.0.1, 10.2.0.2, … */
  address?: string;
  /** 1 to 65535; default 40000 */
  port?: number;
  /** the initial sequence number; default: random, as a kernel's would be */
  sequence?: number;
  /** receive window that segments announce; default 65535 */
  window?: number;
}

export interface SynOptions {
  /** default 1460; 0: no MSS option, which means 536 */
  mss?: number;
  /** shift of the window, 0 to 14; default: not offered */
  windowScale?: number;
  /** SACK permitted; default false */
  sack?: boolean;
  /** default false; if the SYN-ACK brings them too, all later segments carry them */
  timestamps?: boolean;
  /** TCP Fast Open: true asks for a cookie, a cookie is sent back */
  fastOpen?: true | Uint8Array;
  /** data that comes with the SYN */
  data?: string | Uint8Array;
}

/** Fields of a segment that the caller wants otherwise than the peer would write them. */
export type SegmentChanges = Partial<Omit<SegmentFields, "source" | "destination" | "payload">>;

const synNames = ["mss", "windowScale", "sack", "timestamps", "fastOpen", "data"];
const changeNames = [
  "sequence",
  "acknowledgment",
  "flags",
  "window",
  "urgentPointer",
  "reserved",
  "options",
  "ip",
  "checksums",
];
const rawNames = ["source", "destination", "payload", ...changeNames];

/** What a peer needs of its wire. */
export interface WireEnd {
  /** Sends, and takes in what has arrived. */
  transmit(bytes: Uint8Array | SegmentFields): Segment | undefined;
  /** Resolves when something has arrived, or after some ms. */
  arrival(ms: number): Promise<void>;
  collect(): void;
}

export class Peer {
  /** the next sequence number that this peer sends */
  sequence: number;
  /** the next sequence number that it expects */
  acknowledgment = 0;
  /** the number it began with */
  readonly initialSequence: number;
  /** the number the kernel began with, once its SYN-ACK has come */
  initialOfKernel?: number;
  private readonly window: number;
  private readonly inbox: Segment[] = [];
  private timestamps = false;
  private echo = 0;
  private offered = false;

  constructor(
    private readonly wire: WireEnd,
    readonly local: Endpoint,
    /** the listener's */
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

  get address(): string {
    return this.local.address;
  }

  get port(): number {
    return this.local.port;
  }

  /** A SYN with the peer's initial sequence number; a second call sends it again. */
  syn(options: SynOptions = {}): Segment {
    requireKnown(options, synNames, "syn()");
    const offer = synOptions(options);
    const payload = bytesOf(options.data);
    // the answer comes within transmit()
    this.sequence = (this.initialSequence + 1) >>> 0;
    this.offered = options.timestamps === true;
    return this.transmit({ flags: { syn: true }, sequence: this.initialSequence, options: offer, payload });
  }

  /** An ACK of all that has come in order. */
  ack(changes: SegmentChanges = {}): Segment {
    requireKnown(changes, changeNames, "ack()");
    return this.transmit({ ...this.next(changes), flags: { ack: true, ...changes.flags } });
  }

  /** Data, with PSH and ACK, in one segment. @throws LabError EMSGSIZE above the link's MTU of 1500 bytes, headers included */
  send(data: string | Uint8Array, changes: SegmentChanges = {}): Segment {
    requireKnown(changes, changeNames, "send()");
    const payload = bytesOf(data);
    if (payload.length === 0) throw new ArgumentError("send() takes data.", "ack() sends a segment without.");
    const sent = this.transmit({ ...this.next(changes), flags: { ack: true, psh: true, ...changes.flags }, payload });
    if (changes.sequence === undefined) this.sequence = (this.sequence + payload.length) >>> 0;
    return sent;
  }

  /** FIN with ACK: no more data will come. */
  fin(changes: SegmentChanges = {}): Segment {
    requireKnown(changes, changeNames, "fin()");
    const sent = this.transmit({ ...this.next(changes), flags: { fin: true, ack: true, ...changes.flags } });
    if (changes.sequence === undefined) this.sequence = (this.sequence + 1) >>> 0;
    return sent;
  }

  /** RST with the next sequence number, the only one that the kernel takes for sure. */
  rst(changes: SegmentChanges = {}): Segment {
    requireKnown(changes, changeNames, "rst()");
    return this.transmit({ sequence: this.sequence, window: 0, ...changes, flags: { rst: true, ...changes.flags } });
  }

  /**
   * Any segment: fields left out are this peer's ends and defaults; or bytes, sent as they are.
   * @throws SegmentError fields that do not fit; LabError EMSGSIZE
   */
  raw(fields: Partial<SegmentFields> | Uint8Array): Segment | undefined {
    if (types.isUint8Array(fields)) return this.wire.transmit(fields);
    requireKnown(fields, rawNames, "raw()");
    return this.transmit(fields);
  }

  /** The oldest segment not yet received; waits for one. @throws LabError ETIMEDOUT nothing came within `timeout` ms (default 1000); ArgumentError */
  async receive(options: { timeout?: number } = {}): Promise<Segment> {
    requireKnown(options, ["timeout"], "receive()");
    const timeout = requireTimeout(options.timeout);
    const deadline = native.now() + timeout;
    for (;;) {
      const came = this.tryReceive();
      if (came) return came;
      const left = deadline - native.now();
      if (left <= 0) {
        throw new LabError(`Nothing came to ${this.address}:${this.port} within ${timeout} ms.`, {
          code: "ETIMEDOUT",
          hint: "A full queue is silent, and so is a connection with nothing to say.",
        });
      }
      await this.wire.arrival(left);
    }
  }

  /** The oldest segment not yet received, or null. Never waits. */
  tryReceive(): Segment | null {
    this.wire.collect();
    return this.inbox.shift() ?? null;
  }

  /** All segments not yet received. */
  receiveAll(): Segment[] {
    this.wire.collect();
    return this.inbox.splice(0);
  }

  /** SYN, wait for the SYN-ACK, ACK: the SYN-ACK. @throws LabError ETIMEDOUT; ECONNREFUSED the kernel has sent RST */
  async handshake(options: SynOptions & { timeout?: number } = {}): Promise<Segment> {
    requireKnown(options, [...synNames, "timeout"], "handshake()");
    const { timeout: wanted, ...syn } = options;
    const timeout = requireTimeout(wanted);
    this.syn(syn);
    const answer = await this.receive({ timeout });
    if (answer.flags.rst)
      throw new LabError(`The kernel has answered the SYN to port ${this.remote.port} with RST.`, {
        code: "ECONNREFUSED",
        hint: "Nobody listens there.",
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
      // data in the SYN that was taken with it (Fast Open)
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

function requireTimeout(timeout = 1000): number {
  return requireNumber(timeout, "timeout (ms)", 0, 1e9);
}

function timestamps(echo: number): TcpOption[] {
  return [{ kind: "nop" }, { kind: "nop" }, { kind: "timestamps", value: Math.floor(native.now()) >>> 0, echo }];
}

/** In the order and with the filling that Linux clients use (tcp_options_write). */
function synOptions({
  mss = 1460,
  windowScale,
  sack = false,
  timestamps: clock = false,
  fastOpen,
}: SynOptions): TcpOption[] {
  requireInteger(mss, "mss", 0, 65_535);
  requireBoolean(sack, "sack");
  requireBoolean(clock, "timestamps");
  if (fastOpen !== undefined && fastOpen !== true && !types.isUint8Array(fastOpen))
    throw new ArgumentError(
      `fastOpen is true, which asks for a cookie, or a Uint8Array, the cookie; not ${JSON.stringify(fastOpen)}.`,
    );
  const options: TcpOption[] = [];
  if (mss > 0) options.push({ kind: "mss", mss });
  if (clock)
    options.push(
      ...(sack ? [] : ([{ kind: "nop" }, { kind: "nop" }] as TcpOption[])),
      ...(sack ? ([{ kind: "sackPermitted" }] as TcpOption[]) : []),
      timestamps(0)[2],
    );
  else if (sack) options.push({ kind: "nop" }, { kind: "nop" }, { kind: "sackPermitted" });
  if (windowScale !== undefined)
    options.push({ kind: "nop" }, { kind: "windowScale", shift: requireInteger(windowScale, "windowScale", 0, 14) });
  if (fastOpen) options.push({ kind: "fastOpen", cookie: fastOpen === true ? new Uint8Array() : fastOpen });
  return options;
}

function bytesOf(data: string | Uint8Array | undefined): Uint8Array {
  if (data === undefined) return new Uint8Array();
  if (typeof data === "string") return new TextEncoder().encode(data);
  if (types.isUint8Array(data)) return data;
  throw new ArgumentError(`Data is a text or a Uint8Array, not ${String(data)}.`);
}

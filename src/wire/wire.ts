/**
 * The Wire: the far end of the Lab's link. It sends and receives raw IPv4/TCP segments, from addresses of your choice,
 * and logs them.
 */
import { EventEmitter } from "node:events";
import { types } from "node:util";
import { ArgumentError, ClosedError, explain, LabError, requireInteger, requireKnown } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { native, type WirePort } from "../native";
import { valueAt } from "../native/column";
import { connectionKey, connectionOf, type WireEntry, WireLog } from "./log";
import { ghostNetwork, mirrorNetwork, peerAddress, requirePeerAddress, wireNetwork } from "./networks";
import { Peer, type WireEnd } from "./peer";
import type { PeerOptions } from "./peer-options";
import { decode, encode, type Segment, type SegmentFields } from "./segment";

/** ms after which segments that no peer waits for are taken from the ring */
const lookInterval = 10;
/** packets */
const logCapacity = 100_000;
const defaultPort = 40_000;

/** What observers of a wire (ladders) learn. */
export interface WireEvents {
  /** after each packet, in the order of their times */
  segment: [entry: WireEntry];
}

/** The far end of a Lab's link; see Lab.wire(). */
export class Wire extends EventEmitter<WireEvents> implements Closable, WireEnd {
  private readonly peers = new Map<string, Peer>();
  private entries: WireEntry[] = [];
  private forgotten = 0;
  private readonly timer: NodeJS.Timeout;
  private open = true;
  private named = 0;

  private constructor(
    private readonly host: LabHost,
    private readonly port: WirePort,
  ) {
    super();
    this.timer = setInterval(() => this.collect(), lookInterval);
    this.timer.unref();
  }

  /** Opens the far end. @throws LabError ENODEV: the Lab has no wire; ClosedError */
  static async open(host: LabHost): Promise<Wire> {
    requireWire(host);
    const packetFd = await host.socket("packet");
    let port: WirePort;
    try {
      port = new native.WirePort({
        packetFd,
        ifindex: host.farIndex,
        fromHardware: host.hardware.far,
        toHardware: host.hardware.near,
        network: wireNetwork.address,
        prefix: wireNetwork.prefix,
        except: [mirrorNetwork, ghostNetwork].map(({ address, prefix }) => ({ network: address, prefix })),
      });
    } catch (error) {
      native.close(packetFd);
      throw error;
    }
    // the port owns the descriptor from here on
    return host.keep(new Wire(host, port));
  }

  /** true from close() on */
  get closed(): boolean {
    return !this.open;
  }

  /**
   * A peer: a client of a listener (or of a port of this Lab) whose segments you write. A wire can have many.
   * Options: `address`, `port`, `sequence` (the initial sequence number), `window` (bytes).
   * @throws ArgumentError an address or port that a peer cannot have, or that another peer has; ClosedError
   */
  peer(to: { readonly port: number } | number, options: PeerOptions = {}): Peer {
    this.requireOpen();
    requireKnown(options, ["address", "port", "sequence", "window"], "peer()");
    const remote = {
      address: this.host.address,
      port: requireInteger(portOf(to), "port of the listener", 1, 65535),
    };
    const port = requireInteger(options.port ?? defaultPort, "port", 1, 65535);
    const address = requirePeerAddress(options.address ?? this.unused(port, remote.port), this.host.address);
    const key = connectionKey({ address, port }, remote.port);
    if (this.peers.has(key))
      throw new ArgumentError(
        `The peer ${address}:${port} to port ${remote.port} exists already.`,
        "Choose another address or port.",
      );
    const peer = new Peer(this, { address, port }, remote, options);
    this.peers.set(key, peer);
    return peer;
  }

  /** All packets so far, of one peer or of all. The wire keeps the newest 50,000 to 100,000. */
  log(of?: Peer): WireLog {
    if (this.open) this.collect();
    const log = new WireLog([...this.entries], this.forgotten);
    return of ? log.filter((entry) => connectionOf(entry) === keyOf(of)) : log;
  }

  /**
   * Writes the log as a pcapng file, which Wireshark opens.
   * @returns the number of packets
   * @throws LabError ENOENT, EACCES, EISDIR, …
   */
  toPcap(path: string): Promise<number> {
    return this.log().toPcap(path);
  }

  /** arrived packets that were lost because the ring of the socket was full (PACKET_STATISTICS) */
  get drops(): number {
    return this.port.drops();
  }

  /**
   * Sends one segment, or bytes as they are, and takes in what has arrived.
   * @returns the segment; undefined if the bytes are not one
   * @throws SegmentError; LabError EMSGSIZE; ClosedError
   */
  transmit(packet: SegmentFields | Uint8Array): Segment | undefined {
    this.requireOpen();
    const bytes = types.isUint8Array(packet) ? Uint8Array.from(packet) : encode(packet);
    this.collect();
    const time = native.now();
    try {
      this.port.send(bytes);
    } catch (error) {
      throw explain(error, `A packet of ${bytes.length} bytes cannot be sent`, {
        EMSGSIZE: "The link's MTU is 1500 bytes. Send less data in one segment.",
      });
    }
    const entry: WireEntry = { time, direction: "in", bytes, segment: decoded(bytes) };
    this.note(entry);
    this.collect();
    return entry.segment;
  }

  /** Takes in what has arrived. The wire does it every 10 ms, and before each answer to a caller. */
  collect(): void {
    if (!this.open) return;
    const { time, packets } = this.port.take();
    packets.forEach((bytes, at) => {
      const segment = decoded(bytes);
      const entry: WireEntry = { time: valueAt(time, at), direction: "out", bytes, segment };
      if (segment) this.peers.get(connectionOf(entry))?.deliver(segment);
      this.note(entry);
    });
  }

  /** Its peers neither send nor receive any more; the log stays. Idempotent. */
  async close(): Promise<void> {
    if (!this.open) return;
    this.collect();
    this.open = false;
    clearInterval(this.timer);
    this.port.close();
    this.host.drop(this);
  }

  /** close(), for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private note(entry: WireEntry): void {
    this.entries.push(entry);
    if (this.entries.length > logCapacity) {
      const surplus = Math.floor(logCapacity / 2);
      this.forgotten += surplus;
      this.entries = this.entries.slice(surplus);
    }
    this.emit("segment", entry);
  }

  private unused(port: number, to: number): string {
    for (;;) {
      const address = peerAddress(this.named++);
      if (!this.peers.has(connectionKey({ address, port }, to))) return address;
    }
  }

  private requireOpen(): void {
    if (!this.open) throw new ClosedError("Wire");
  }
}

/** @throws LabError ENODEV: the Lab has no wire; ClosedError */
export function requireWire(host: LabHost): void {
  host.requireOpen();
  if (host.farIndex === 0)
    throw new LabError("This Lab has no wire.", {
      code: "ENODEV",
      hint: "Open the Lab with { wire: true }, the default.",
    });
}

function keyOf({ local, remote }: Peer): string {
  return connectionKey(local, remote.port);
}

/** The port of a listener, or a number; checked by the caller, because a notebook may give anything. */
function portOf(to: unknown): unknown {
  return typeof to === "object" && to !== null && "port" in to ? to.port : to;
}

/** The segment of these bytes; undefined: they are no segment. The log keeps them in both cases. */
function decoded(bytes: Uint8Array): Segment | undefined {
  try {
    return decode(bytes, { verify: false });
  } catch {
    return undefined;
  }
}

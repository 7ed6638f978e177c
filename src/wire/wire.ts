/**
 * The Wire: the far end of the Lab's link. Raw IPv4/TCP segments in and out, addresses of one's choice, and a log of all of them.
 */
import { EventEmitter } from "node:events";
import { types } from "node:util";
import { ArgumentError, ClosedError, explain, LabError, requireInteger, requireKnown } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { native, WirePort } from "../native";
import { connectionKey, connectionOf, WireEntry, WireLog } from "./log";
import { ghostNetwork, mirrorNetwork, peerAddress, requirePeerAddress, wireNetwork } from "./networks";
import { Peer, PeerOptions, WireEnd } from "./peer";
import { decode, encode, Segment, SegmentFields } from "./segment";

/** ms between two looks for what has arrived unasked */
const lookInterval = 10;
/** ms that one wait for an arrival takes at most */
const patience = 100;
const logCapacity = 100_000;
const defaultPort = 40_000;

export interface WireEvents {
  /** after each segment, in the order of their times */
  segment: [entry: WireEntry];
}

export class Wire extends EventEmitter<WireEvents> implements Closable, WireEnd {
  private readonly peers = new Map<string, Peer>();
  private entries: WireEntry[] = [];
  private forgotten = 0;
  private readonly timer: NodeJS.Timeout;
  private waiting?: { promise: Promise<boolean>; cancel(): void };
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

  /** @throws LabError ENODEV: the Lab was opened without wire; ClosedError */
  static async open(host: LabHost): Promise<Wire> {
    requireWire(host);
    const [packetFd] = await host.sockets("packet", 1);
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
    // from here on the descriptor is the port's
    return host.keep(new Wire(host, port));
  }

  get closed(): boolean {
    return !this.open;
  }

  /** A peer that talks to a port of this Lab. Several at once may do so. @throws ArgumentError an address or port that cannot be, or is taken; ClosedError */
  peer(to: { readonly port: number } | number, options: PeerOptions = {}): Peer {
    this.requireOpen();
    requireKnown(options, ["address", "port", "sequence", "window"], "peer()");
    const remote = {
      address: this.host.address,
      port: requireInteger(typeof to === "number" ? to : to?.port, "port of the listener", 1, 65535),
    };
    const port = requireInteger(options.port ?? defaultPort, "port", 1, 65535);
    const address = requirePeerAddress(options.address ?? this.unused(port, remote.port), this.host.address);
    const key = connectionKey({ address, port }, remote.port);
    if (this.peers.has(key))
      throw new ArgumentError(
        `There is a peer ${address}:${port} that talks to port ${remote.port} already.`,
        "Take another address or port.",
      );
    const peer = new Peer(this, { address, port }, remote, options);
    this.peers.set(key, peer);
    return peer;
  }

  /** All segments so far, of one peer or of all. The newest 100,000 are kept. */
  log(of?: Peer): WireLog {
    if (this.open) this.collect();
    const log = new WireLog([...this.entries], this.forgotten);
    return of ? log.filter((entry) => connectionOf(entry) === keyOf(of)) : log;
  }

  /** Writes the log as pcapng, which Wireshark opens; resolves to the number of packets. @throws LabError ENOENT, EACCES */
  toPcap(path: string): Promise<number> {
    return this.log().toPcap(path);
  }

  /** packets for which there was no room */
  get drops(): number {
    return this.port.drops();
  }

  /** Sends one segment, or bytes as they are; the segment, unless the bytes are none. @throws SegmentError; LabError EMSGSIZE; ClosedError */
  transmit(packet: SegmentFields | Uint8Array): Segment | undefined {
    this.requireOpen();
    const bytes = types.isUint8Array(packet) ? Uint8Array.from(packet) : encode(packet);
    this.collect();
    const time = native.now();
    try {
      this.port.send(bytes);
    } catch (error) {
      throw explain(error, `A packet of ${bytes.length} bytes cannot be sent`, {
        EMSGSIZE: "The link takes 1500 bytes: send less in one segment.",
      });
    }
    const entry: WireEntry = { time, direction: "in", bytes, segment: decoded(bytes) };
    this.note(entry);
    this.collect();
    return entry.segment;
  }

  /** Takes in what has arrived; done every 10 ms, and before anybody looks. */
  collect(): void {
    if (!this.open) return;
    const { time, packets } = this.port.take();
    packets.forEach((bytes, at) => {
      const segment = decoded(bytes);
      const entry: WireEntry = { time: time[at], direction: "out", bytes, segment };
      if (segment) this.peers.get(connectionOf(entry))?.deliver(segment);
      this.note(entry);
    });
  }

  /** Resolves when something has arrived, or after `ms` (at most 100). @throws ClosedError */
  async arrival(ms: number): Promise<void> {
    this.requireOpen();
    // one wait for all: libuv watches a descriptor once
    this.waiting ??= native.poll(this.port.fd, 1, Math.ceil(Math.min(ms, patience)));
    const { waiting } = this;
    await waiting.promise;
    if (this.waiting === waiting) this.waiting = undefined;
  }

  /** Peers are silent from now on; the log stays. Idempotent. */
  close(): void {
    if (!this.open) return;
    this.collect();
    this.open = false;
    clearInterval(this.timer);
    this.waiting?.cancel();
    this.port.close();
    this.host.drop(this);
  }

  [Symbol.dispose](): void {
    this.close();
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

/** @throws LabError ENODEV */
export function requireWire(host: LabHost): void {
  host.requireOpen();
  if (host.farIndex === 0)
    throw new LabError("This Lab has no wire.", { code: "ENODEV", hint: "Open it with { wire: true }, the default." });
}

function keyOf({ local, remote }: Peer): string {
  return connectionKey(local, remote.port);
}

/** The log must take whatever was sent. */
function decoded(bytes: Uint8Array): Segment | undefined {
  try {
    return decode(bytes, { verify: false });
  } catch {
    return undefined;
  }
}

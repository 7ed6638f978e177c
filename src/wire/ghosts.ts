/**
 * Ghost clients: handshakes without client sockets, or SYNs without handshakes, from millions of addresses. Bounded by their number, and
 * aimed at a listener of their own Lab: there is no other target, and no route out of the Lab's network.
 */
import { ArgumentError, InterruptedError, LabError, requireInteger, requireKnown, requireNumber } from "../errors";
import { Network } from "../lab/address";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { ClientState, Ghosts as NativeGhosts, native } from "../native";
import { ghostNetwork } from "./networks";
import { requireWire } from "./wire";

export interface GhostOptions {
  /** how many; must be said. At most 100,000,000 */
  count: number;
  /** "handshake": SYN, and ACK for the SYN-ACK. "syn": a SYN and nothing more. "ack": an ACK with random numbers. Default "handshake" */
  segments?: "handshake" | "syn" | "ack";
  /** a second, evenly spaced; default: as fast as one thread can */
  rate?: number;
  /** their addresses: a part of 10.128.0.0/9, which is the default */
  from?: string;
  /** MSS that SYNs offer, bytes; 0: none. Default 1460 */
  mss?: number;
  /** shift that SYNs offer; default: none */
  windowScale?: number;
  /** default false */
  sack?: boolean;
  /** default false */
  timestamps?: boolean;
}

/** What has become of them. */
export interface GhostCounts {
  /** first segments sent */
  sent: number;
  /** ghosts that got a SYN-ACK */
  answered: number;
  /** ghosts whose first segment was answered by RST */
  refused: number;
  /** sent, and no answer */
  unanswered: number;
  /** ghosts that have sent the ACK: connected, as they see it */
  established: number;
  /** connections that the server has reset */
  reset: number;
  /** connections that the server has closed */
  closedByServer: number;
  /** SYN-ACKs that came again */
  repeated: number;
}

const mostGhosts = 100_000_000;
/** Ghosts of one Lab do not meet: each group goes on where the last one ended. */
const used = new WeakMap<LabHost, number>();

export class Ghosts implements Closable {
  private open = true;

  private constructor(
    private readonly host: LabHost,
    private readonly thread: NativeGhosts,
    /** how many there will be */
    readonly length: number,
    readonly kind: "handshake" | "syn" | "ack",
  ) {}

  /** Makes and starts them. @throws ArgumentError no count, …; LabError ENODEV: a Lab without wire; ClosedError */
  static async start(host: LabHost, port: number, options: GhostOptions, onStart: (ghosts: Ghosts) => void = () => undefined): Promise<Ghosts> {
    requireKnown(options ?? {}, ["count", "segments", "rate", "from", "mss", "windowScale", "sack", "timestamps"], "ghosts");
    if (options?.count === undefined) throw new ArgumentError("Ghosts need a count: how many there will be in all.", "Like { count: 100_000 }.");
    const count = requireInteger(options.count, "count", 1, mostGhosts);
    const kind = options.segments ?? "handshake";
    if (!["handshake", "syn", "ack"].includes(kind)) throw new ArgumentError(`Ghosts cannot send "${String(kind)}".`, 'They send segments: "handshake", "syn" or "ack".');
    const rate = options.rate === undefined ? 0 : requireNumber(options.rate, "rate (a second)", 0.001, 1e8);
    const from = new Network(options.from ?? ghostNetwork.toString(), "from");
    if (!ghostNetwork.contains(from)) throw new ArgumentError(`${from} is outside the ghosts' network ${ghostNetwork}: the Lab answers nobody else's.`, "Leave `from` out, or take a part of it.");
    if (from.prefix < 1 || from.size * 64_000 < count) throw new ArgumentError(`${from} has not enough addresses for ${count.toLocaleString("en")} ghosts.`, "Take a larger network.");
    const offer = {
      mss: requireInteger(options.mss ?? 1460, "mss", 0, 65_535),
      windowScale: requireInteger(options.windowScale ?? -1, "windowScale", -1, 14),
      sack: options.sack === true,
      timestamps: options.timestamps === true,
    };
    requireWire(host);
    const first = used.get(host) ?? 0;
    used.set(host, first + count);
    const [packetFd] = await host.sockets("packet", 1);
    let thread: NativeGhosts;
    try {
      thread = new native.Ghosts({
        packetFd,
        ifindex: host.farIndex,
        fromHardware: host.hardware.far,
        toHardware: host.hardware.near,
        address: host.address,
        port,
        network: from.address,
        prefix: from.prefix,
        first,
        count,
        kind,
        rate,
        offer,
        seed: Math.floor(Math.random() * 2 ** 32),
      });
    } catch (error) {
      native.close(packetFd);
      throw error;
    }
    const ghosts = host.keep(new Ghosts(host, thread, count, kind));
    onStart(ghosts);
    thread.start();
    return ghosts;
  }

  /** for recordings, which sample the states */
  get native(): NativeGhosts {
    return this.thread;
  }

  counts(): GhostCounts {
    const { sent, answered, refused, repeated } = this.stats();
    const states = this.thread.counts();
    return {
      sent,
      answered,
      refused,
      unanswered: Math.max(0, sent - answered - refused),
      established: states[ClientState.established],
      reset: states[ClientState.reset],
      closedByServer: states[ClientState.closedByServer],
      repeated,
    };
  }

  /** first segments a second while they were sent */
  get rate(): number {
    const { sent, startedAt, lastSentAt } = this.thread.stats();
    return sent < 2 ? 0 : (1000 * sent) / (lastSentAt - startedAt);
  }

  /** ms from the start to the last first segment */
  get sendingTime(): number {
    const { startedAt, lastSentAt } = this.thread.stats();
    return lastSentAt - startedAt;
  }

  /**
   * Resolves when all have been sent and no answer has come for `quiet` ms (default 50).
   * @throws InterruptedError closed meanwhile; LabError the link is gone, or had no room
   */
  async finished({ quiet = 50 }: { quiet?: number } = {}): Promise<GhostCounts> {
    requireNumber(quiet, "quiet (ms)", 0, 1e9);
    for (;;) {
      const { sent, answered, refused, lastSentAt, lastAnswerAt } = this.stats();
      const all = sent === this.length;
      if (all && (answered + refused >= sent || native.now() - Math.max(lastSentAt, lastAnswerAt) >= quiet)) return this.counts();
      if (!this.open) throw new InterruptedError("Waiting for ghosts");
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** All that are half-open or connected send RST; no more are sent. Resolves when they have. */
  async reset(): Promise<void> {
    if (!this.open) throw new InterruptedError("Resetting ghosts");
    this.thread.reset();
    while (!this.stats().resetDone) {
      if (!this.open) throw new InterruptedError("Resetting ghosts");
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** They vanish without a word, as ghosts do; counts stay readable. Idempotent. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    this.thread.stop();
    this.host.drop(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private stats(): ReturnType<NativeGhosts["stats"]> {
    const stats = this.thread.stats();
    if (stats.error !== 0 && this.open) throw new LabError(`The ghosts' link has failed (errno ${stats.error}).`, { code: "EIO", errno: -stats.error, hint: "Close this Lab and open another one." });
    return stats;
  }
}

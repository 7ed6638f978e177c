/**
 * Ghost clients: handshakes without client sockets, or SYNs without handshakes, from millions of addresses. Bounded by their number, and
 * aimed at a listener of their own Lab: there is no other target, and no route out of the Lab's network.
 */
import { availableParallelism } from "node:os";
import {
  ArgumentError,
  InterruptedError,
  LabError,
  LimitError,
  requireBoolean,
  requireInteger,
  requireKnown,
  requireNumber,
} from "../errors";
import { dotted, Network } from "../lab/address";
import type { LabHost } from "../lab/host";
import { kernelMemory } from "../lab/memory";
import type { Closable } from "../lab/owned";
import { ClientState, Ghosts as NativeGhosts, native } from "../native";
import { ghostNetwork } from "./networks";
import { requireWire } from "./wire";
import { formatNumber } from "../wording/number";

export interface GhostOptions {
  /** how many; must be said. At most 100,000,000 */
  count: number;
  /** "handshake": SYN, and ACK for the SYN-ACK. "syn": a SYN and nothing more. "ack": an ACK with random numbers. Default "handshake" */
  segments?: "handshake" | "syn" | "ack";
  /** a second, evenly spaced; default: as fast as this machine can */
  rate?: number;
  /** threads that share the work: 1, 2 or 4. Default: one with a rate, or for fewer than 20,000 ghosts; else as many as there are processors */
  threads?: 1 | 2 | 4;
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
/** bytes of kernel memory of a connection in an accept queue; measured with each run, this is for refusing what is too large */
const bytesQueued = 2900;
/** of the memory that is free, so much may be used */
const share = 0.8;
/** fewer are not worth another thread */
const ghostsAThread = 10_000;
/** Ghosts of one Lab do not meet: each group goes on where the last one ended. */
const used = new WeakMap<LabHost, number>();

export class Ghosts implements Closable {
  private open = true;

  private constructor(
    private readonly host: LabHost,
    /** for recordings, which sample the states; each has a part of the addresses */
    readonly natives: readonly NativeGhosts[],
    /** how many there will be */
    readonly length: number,
    readonly kind: "handshake" | "syn" | "ack",
  ) {}

  /** Makes and starts them. @throws ArgumentError no count, …; LimitError: larger than the machine; LabError ENODEV: a Lab without wire; ClosedError */
  static async start(
    host: LabHost,
    port: number,
    options: GhostOptions,
    onStart: (ghosts: Ghosts) => void = () => undefined,
  ): Promise<Ghosts> {
    requireKnown(
      options ?? {},
      ["count", "segments", "rate", "from", "mss", "windowScale", "sack", "timestamps", "threads"],
      "ghosts",
    );
    if (options?.count === undefined)
      throw new ArgumentError("Ghosts need a count: how many there will be in all.", "Like { count: 100_000 }.");
    const count = requireInteger(options.count, "count", 1, mostGhosts);
    const kind = options.segments ?? "handshake";
    if (!["handshake", "syn", "ack"].includes(kind))
      throw new ArgumentError(
        `Ghosts cannot send "${String(kind)}".`,
        'They send segments: "handshake", "syn" or "ack".',
      );
    const rate = options.rate === undefined ? 0 : requireNumber(options.rate, "rate (a second)", 0.001, 1e8);
    const from = new Network(options.from ?? ghostNetwork.toString(), "from");
    if (!ghostNetwork.contains(from))
      throw new ArgumentError(
        `${from} is outside the ghosts' network ${ghostNetwork}: the Lab answers nobody else's.`,
        "Leave `from` out, or take a part of it.",
      );
    if (from.prefix < 1 || from.size * 64_000 < count)
      throw new ArgumentError(
        `${from} has not enough addresses for ${formatNumber(count)} ghosts.`,
        "Take a larger network.",
      );
    const offer = {
      mss: requireInteger(options.mss ?? 1460, "mss", 0, 65_535),
      windowScale: requireInteger(options.windowScale ?? -1, "windowScale", -1, 14),
      sack: requireBoolean(options.sack ?? false, "sack"),
      timestamps: requireBoolean(options.timestamps ?? false, "timestamps"),
    };
    requireWire(host);
    if (kind === "handshake") requireMemory(count);
    const threads = requireThreads(options.threads ?? (rate > 0 ? 1 : mostThreads(count)), from);
    const first = used.get(host) ?? 0;
    used.set(host, first + count);
    const natives: NativeGhosts[] = [];
    const packetFds = await host.sockets("packet", threads);
    try {
      for (let at = 0; at < threads; at++) {
        natives.push(
          new native.Ghosts({
            packetFd: packetFds[at],
            ifindex: host.farIndex,
            fromHardware: host.hardware.far,
            toHardware: host.hardware.near,
            address: host.address,
            port,
            network: dotted(from.base + (at * from.size) / threads),
            prefix: from.prefix + Math.log2(threads),
            first,
            count: Math.floor(count / threads) + (at < count % threads ? 1 : 0),
            kind,
            rate: rate / threads,
            offer,
            seed: Math.floor(Math.random() * 2 ** 32),
          }),
        );
      }
    } catch (error) {
      for (const each of natives) each.stop();
      await native.closeLater(packetFds.slice(natives.length));
      throw error;
    }
    const ghosts = host.keep(new Ghosts(host, natives, count, kind));
    try {
      onStart(ghosts);
      for (const each of natives) each.start();
    } catch (error) {
      ghosts.close();
      throw error;
    }
    return ghosts;
  }

  counts(): GhostCounts {
    const { sent, answered, refused, repeated } = this.stats();
    const states = this.natives.map((each) => each.counts());
    const inState = (state: number) => states.reduce((sum, counts) => sum + counts[state], 0);
    return {
      sent,
      answered,
      refused,
      unanswered: Math.max(0, sent - answered - refused),
      established: inState(ClientState.established),
      reset: inState(ClientState.reset),
      closedByServer: inState(ClientState.closedByServer),
      repeated,
    };
  }

  /** first segments a second while they were sent */
  get rate(): number {
    const { sent, startedAt, lastSentAt } = this.stats();
    return sent < 2 ? 0 : (1000 * sent) / (lastSentAt - startedAt);
  }

  /** ms from the start to the last first segment */
  get sendingTime(): number {
    const { startedAt, lastSentAt } = this.stats();
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
      if (all && (answered + refused >= sent || native.now() - Math.max(lastSentAt, lastAnswerAt) >= quiet))
        return this.counts();
      if (!this.open) throw new InterruptedError("Waiting for ghosts");
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** All that are half-open or connected send RST; no more are sent. Resolves when they have. */
  async reset(): Promise<void> {
    if (!this.open) throw new InterruptedError("Resetting ghosts");
    for (const each of this.natives) each.reset();
    while (!this.stats().resetDone) {
      if (!this.open) throw new InterruptedError("Resetting ghosts");
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** They vanish without a word, as ghosts do; counts stay readable. Idempotent. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    for (const each of this.natives) each.stop();
    this.host.drop(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private stats(): ReturnType<NativeGhosts["stats"]> {
    const all = this.natives.map((each) => each.stats());
    const error = all.find((each) => each.error !== 0)?.error ?? 0;
    if (error !== 0 && this.open)
      throw new LabError(`The ghosts' link has failed (errno ${error}).`, {
        code: "EIO",
        errno: -error,
        hint: "Close this Lab and open another one.",
      });
    const sum = (name: "sent" | "answered" | "refused" | "repeated" | "unsent" | "kernelDrops") =>
      all.reduce((total, each) => total + each[name], 0);
    return {
      sent: sum("sent"),
      answered: sum("answered"),
      refused: sum("refused"),
      repeated: sum("repeated"),
      unsent: sum("unsent"),
      kernelDrops: sum("kernelDrops"),
      startedAt: Math.min(...all.map((each) => each.startedAt)),
      lastSentAt: Math.max(...all.map((each) => each.lastSentAt)),
      lastAnswerAt: Math.max(...all.map((each) => each.lastAnswerAt)),
      resetDone: all.every((each) => each.resetDone),
      error,
    };
  }
}

/** @throws LimitError: so many connections may be larger than the machine */
function requireMemory(count: number): void {
  const { available } = kernelMemory();
  if (count * bytesQueued <= available * share) return;
  throw new LimitError(
    `${formatNumber(count)} connections take some ${formatNumber(Math.round((count * bytesQueued) / 2 ** 20))} MiB of the kernel's memory; ${formatNumber(Math.round(available / 2 ** 20))} MiB are free.`,
    `Ask for ${formatNumber(Math.floor((available * share) / bytesQueued))} at most.`,
  );
}

/** A power of two, so that a network can be divided among them. */
function mostThreads(count: number): number {
  const most = Math.min(4, availableParallelism(), Math.max(1, Math.floor(count / ghostsAThread)));
  return 2 ** Math.floor(Math.log2(most));
}

function requireThreads(threads: number, from: Network): number {
  if (![1, 2, 4].includes(threads)) throw new ArgumentError(`threads must be 1, 2 or 4, not ${String(threads)}.`);
  return from.size >= threads ? threads : 1;
}

/**
 * Ghost clients: handshakes without client sockets, or SYNs without handshakes, from millions of addresses. Their
 * number is limited, and their only target is a listener of their own Lab: there is no route out of the Lab's network.
 */
import { availableParallelism } from "node:os";
import {
  ArgumentError,
  errnoName,
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
import { ClientState, type Ghosts as NativeGhosts, type GhostsOptions as NativeGhostsOptions, native } from "../native";
import { valueAt } from "../native/column";
import { requireQuiet } from "../waiting/timeout";
import { msUntil } from "../waiting/until";
import { ghostNetwork } from "./networks";
import { requireWire } from "./wire";
import { countOf, formatNumber } from "../wording/number";

/**
 * What a ghost sends. "handshake": a SYN, and an ACK for the SYN-ACK. "syn": only a SYN. "ack": an ACK with random
 * numbers.
 */
export type GhostKind = "handshake" | "syn" | "ack";

/** How many ghosts there are, what they send, how fast, and from where. */
export interface GhostOptions {
  /** how many ghosts, 1 to 100,000,000; there is no default */
  count: number;
  /**
   * "handshake": SYN, and ACK for the SYN-ACK. "syn": only a SYN. "ack": an ACK with random numbers. Default
   * "handshake"
   */
  segments?: GhostKind;
  /** ghosts per second, evenly spaced; default: as fast as this machine can */
  rate?: number;
  /**
   * threads that share the work: 1, 2 or 4. Default: 1 with a rate or for fewer than 20,000 ghosts, else one for each
   * CPU
   */
  threads?: 1 | 2 | 4;
  /** their addresses: a part of 10.128.0.0/9, which is the default */
  from?: string;
  /** maximum segment size that a SYN offers, bytes; 0: none. Default 1460 */
  mss?: number;
  /** window scale (shift, 0 to 14) that a SYN offers; default: none */
  windowScale?: number;
  /** true: a SYN offers SACK. Default false */
  sack?: boolean;
  /** true: a SYN offers timestamps. Default false */
  timestamps?: boolean;
}

/** When finished() ends. */
export interface FinishedOptions {
  /** ms without an answer after the last segment was sent; default 50 */
  quiet?: number;
}

/** How many ghosts are in which state. */
export interface GhostCounts {
  /** ghosts that have sent their first segment */
  sent: number;
  /** ghosts that got a SYN-ACK */
  answered: number;
  /** ghosts whose first segment was answered by RST */
  refused: number;
  /** ghosts that have sent their first segment and got no answer */
  unanswered: number;
  /** ghosts that have sent the final ACK: ESTABLISHED on the client side */
  established: number;
  /** ghosts whose connection the server has reset */
  reset: number;
  /** ghosts whose connection the server has closed */
  closedByServer: number;
  /** retransmitted SYN-ACKs */
  repeated: number;
}

const ghostKinds: readonly GhostKind[] = ["handshake", "syn", "ack"];
const mostGhosts = 100_000_000;
/** of the 64,512 ports from 1024 on */
const portsPerAddress = 64_000;
/**
 * bytes of kernel memory of a connection in the accept queue, to refuse what is too large; the notebooks measure it
 * anew
 */
const bytesQueued = 2900;
/** the share of the available memory that ghosts may use */
const share = 0.8;
/** fewer ghosts are not worth another thread */
const ghostsPerThread = 10_000;
/** Groups of ghosts of one Lab have different addresses: each group goes on where the last one ended. */
const used = new WeakMap<LabHost, number>();

/** A group of ghost clients; see Lab.ghosts() and Lab.flood(). */
export class Ghosts implements Closable {
  private closing?: Promise<void>;

  private constructor(
    private readonly host: LabHost,
    /** the threads: recordings sample their states. Each has a part of the addresses */
    readonly natives: readonly NativeGhosts[],
    /** how many ghosts there are, or will be */
    readonly length: number,
    /** what they send */
    readonly kind: GhostKind,
  ) {}

  /**
   * Makes and starts ghosts.
   * @throws ArgumentError no count, …; LimitError: their connections need more memory than is free; LabError ENODEV:
   * the Lab has no wire; ClosedError
   */
  static async start(
    host: LabHost,
    port: number,
    options: GhostOptions,
    onStart: (ghosts: Ghosts) => void = () => undefined,
  ): Promise<Ghosts> {
    const plan = planned(options);
    requireWire(host);
    if (plan.kind === "handshake") requireMemory(plan.count);
    const first = used.get(host) ?? 0;
    used.set(host, first + plan.count);
    const natives = await threads(host, port, plan, first);
    const ghosts = host.keep(new Ghosts(host, natives, plan.count, plan.kind));
    try {
      onStart(ghosts);
      for (const each of natives) each.start();
    } catch (error) {
      await ghosts.close();
      throw error;
    }
    return ghosts;
  }

  /** How many ghosts are in which state now. @throws LabError EIO: the link has failed */
  counts(): GhostCounts {
    const { sent, answered, refused, repeated } = this.stats();
    const states = this.natives.map((each) => each.counts());
    const inState = (state: number) => states.reduce((sum, counts) => sum + valueAt(counts, state), 0);
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

  /** first segments per second, while they were sent */
  get rate(): number {
    const { sent, startedAt, lastSentAt } = this.stats();
    return sent < 2 ? 0 : (1000 * sent) / (lastSentAt - startedAt);
  }

  /** ms from the start until the last ghost sent its first segment */
  get sendingTime(): number {
    const { startedAt, lastSentAt } = this.stats();
    return lastSentAt - startedAt;
  }

  /**
   * Resolves when every ghost has sent its first segment and has an answer, or when no answer has arrived for `quiet`
   * ms. Options: `quiet` (ms, default 50).
   * @throws ArgumentError; InterruptedError: they were closed meanwhile; LabError EIO: the link has failed
   */
  async finished({ quiet = 50 }: FinishedOptions = {}): Promise<GhostCounts> {
    requireQuiet(quiet);
    await this.watch("Waiting for ghosts", ({ sent, answered, refused, lastSentAt, lastAnswerAt }) => {
      const silent = () => native.now() - Math.max(lastSentAt, lastAnswerAt) >= quiet;
      return sent === this.length && (answered + refused >= sent || silent());
    });
    return this.counts();
  }

  /**
   * All ghosts that are half-open or ESTABLISHED send RST, and no more ghosts start. Resolves when the RSTs are sent.
   * @throws InterruptedError: they are closed; LabError EIO
   */
  async reset(): Promise<void> {
    if (this.closing) throw new InterruptedError("Resetting ghosts");
    for (const each of this.natives) each.reset();
    await this.watch("Resetting ghosts", ({ resetDone }) => resetDone);
  }

  /** Ends the threads, which send no FIN and no RST; counts stay readable. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  /** close(), for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(): Promise<void> {
    await Promise.all(this.natives.map((each) => each.stop()));
    this.host.drop(this);
  }

  private async watch(what: string, holds: (stats: GhostStats) => boolean): Promise<void> {
    await msUntil(() => {
      if (holds(this.stats())) return true;
      if (this.closing) throw new InterruptedError(what);
      return false;
    }, Infinity);
  }

  private stats(): GhostStats {
    const all = this.natives.map((each) => each.stats());
    const error = all.find((each) => each.error !== 0)?.error ?? 0;
    if (error !== 0 && !this.closing)
      throw new LabError(`The link of the ghosts has failed: ${errnoName(error)}.`, {
        code: "EIO",
        errno: -error,
        hint: "Close this Lab and open another one.",
      });
    const sum = (name: "sent" | "answered" | "refused" | "repeated") =>
      all.reduce((total, each) => total + each[name], 0);
    return {
      sent: sum("sent"),
      answered: sum("answered"),
      refused: sum("refused"),
      repeated: sum("repeated"),
      startedAt: Math.min(...all.map((each) => each.startedAt)),
      lastSentAt: Math.max(...all.map((each) => each.lastSentAt)),
      lastAnswerAt: Math.max(...all.map((each) => each.lastAnswerAt)),
      resetDone: all.every((each) => each.resetDone),
    };
  }
}

type GhostStats = Omit<ReturnType<NativeGhosts["stats"]>, "unsent" | "kernelDrops" | "error">;

/** What was asked for, checked and with its defaults. */
interface Plan {
  count: number;
  kind: GhostKind;
  /** ghosts per second; 0: as fast as possible */
  rate: number;
  from: Network;
  offer: NativeGhostsOptions["offer"];
  threads: number;
}

/** @throws ArgumentError */
function planned(given: GhostOptions | undefined): Plan {
  const options: Partial<GhostOptions> = given ?? {};
  requireKnown(
    options,
    ["count", "segments", "rate", "from", "mss", "windowScale", "sack", "timestamps", "threads"],
    "ghosts",
  );
  if (options.count === undefined)
    throw new ArgumentError("Ghosts need a count: how many there are in all.", "Like { count: 100_000 }.");
  const count = requireInteger(options.count, "count", 1, mostGhosts);
  const kind = requireKind(options.segments ?? "handshake");
  const rate = options.rate === undefined ? 0 : requireNumber(options.rate, "rate (ghosts per second)", 0.001, 1e8);
  const from = requireNetwork(options.from ?? ghostNetwork.toString(), count);
  const number = requireThreads(options.threads ?? (rate > 0 ? 1 : mostThreads(count)), from);
  return { count, kind, rate, from, threads: number, offer: requireOffer(options) };
}

function requireKind(kind: GhostKind): GhostKind {
  if (!ghostKinds.includes(kind))
    throw new ArgumentError(`Ghosts cannot send "${kind}".`, `They send segments: ${ghostKinds.join(", ")}.`);
  return kind;
}

function requireNetwork(text: string, count: number): Network {
  const from = new Network(text, "from");
  if (!ghostNetwork.contains(from))
    throw new ArgumentError(
      `${from.toString()} is outside the ghosts' network ${ghostNetwork.toString()}: the Lab has no route to it.`,
      "Leave `from` out, or choose a part of it.",
    );
  if (from.prefix < 1 || from.size * portsPerAddress < count)
    throw new ArgumentError(
      `${from.toString()} does not have enough addresses for ${countOf(count, "ghost")}.`,
      "Choose a larger network.",
    );
  return from;
}

function requireOffer({ mss = 1460, windowScale = -1, sack = false, timestamps = false }: Partial<GhostOptions>) {
  return {
    mss: requireInteger(mss, "mss", 0, 65_535),
    windowScale: requireInteger(windowScale, "windowScale", -1, 14),
    sack: requireBoolean(sack, "sack"),
    timestamps: requireBoolean(timestamps, "timestamps"),
  };
}

/** The threads, not started yet. */
async function threads(host: LabHost, port: number, plan: Plan, first: number): Promise<NativeGhosts[]> {
  const { count, kind, rate, from, offer, threads: number } = plan;
  const natives: NativeGhosts[] = [];
  const packetFds = await host.sockets("packet", number);
  try {
    for (const [at, packetFd] of packetFds.entries()) {
      natives.push(
        new native.Ghosts({
          packetFd,
          ifindex: host.farIndex,
          fromHardware: host.hardware.far,
          toHardware: host.hardware.near,
          address: host.address,
          port,
          network: dotted(from.base + (at * from.size) / number),
          prefix: from.prefix + Math.log2(number),
          first,
          count: Math.floor(count / number) + (at < count % number ? 1 : 0),
          kind,
          rate: rate / number,
          offer,
          seed: Math.floor(Math.random() * 2 ** 32),
        }),
      );
    }
  } catch (error) {
    await Promise.all(natives.map((each) => each.stop()));
    await native.closeLater(packetFds.slice(natives.length));
    throw error;
  }
  return natives;
}

/** @throws LimitError: the connections need more kernel memory than is available */
function requireMemory(count: number): void {
  const { available } = kernelMemory();
  if (count * bytesQueued <= available * share) return;
  const mebibytes = (bytes: number) => formatNumber(Math.round(bytes / 2 ** 20));
  throw new LimitError(
    `${countOf(count, "connection")} need some ${mebibytes(count * bytesQueued)} MiB of kernel memory; ${mebibytes(available)} MiB are free.`,
    `Ask for ${formatNumber(Math.floor((available * share) / bytesQueued))} at most.`,
  );
}

/** A power of two, so that the threads can divide a network among them. */
function mostThreads(count: number): number {
  const most = Math.min(4, availableParallelism(), Math.max(1, Math.floor(count / ghostsPerThread)));
  return 2 ** Math.floor(Math.log2(most));
}

function requireThreads(number: number, from: Network): number {
  if (![1, 2, 4].includes(number)) throw new ArgumentError(`threads must be 1, 2 or 4, not ${number}.`);
  return from.size >= number ? number : 1;
}

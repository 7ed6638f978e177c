/** What readers ask of ghosts: how many, what they send, how fast, and from where. */
import { availableParallelism } from "node:os";
import { ArgumentError, LimitError, requireBoolean, requireInteger, requireKnown, requireNumber } from "../errors";
import { Network } from "../lab/address";
import { kernelMemory } from "../lab/memory";
import type { GhostsOptions as NativeGhostsOptions } from "../native";
import { countOf, formatNumber } from "../wording/number";
import { ghostNetwork } from "./networks";

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
/** What was asked for, checked and with its defaults. */
export interface GhostPlan {
  count: number;
  kind: GhostKind;
  /** ghosts per second; 0: as fast as possible */
  rate: number;
  from: Network;
  offer: NativeGhostsOptions["offer"];
  threads: number;
}

/** @throws ArgumentError */
export function planned(given: GhostOptions | undefined): GhostPlan {
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

/** @throws LimitError: the connections need more kernel memory than is available */
export function requireMemory(count: number): void {
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

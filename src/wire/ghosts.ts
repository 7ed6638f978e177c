/**
 * Ghost clients: handshakes without client sockets, or SYNs without handshakes, from millions of addresses. Their
 * number is limited, and their only target is a listener of their own Lab: there is no route out of the Lab's network.
 */
import { errnoName, InterruptedError, LabError } from "../errors";
import { dotted } from "../lab/address";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { ClientState, type Ghosts as NativeGhosts, native } from "../native";
import { valueAt } from "../native/column";
import { requireQuiet } from "../waiting/timeout";
import { msUntil } from "../waiting/until";
import { type GhostKind, type GhostOptions, type GhostPlan, planned, requireMemory } from "./ghost-options";
import { requireWire } from "./wire";

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

/** Groups of ghosts of one Lab have different addresses: each group goes on where the last one ended. */
const used = new WeakMap<LabHost, number>();

/** What a flood leaves behind in the machine; see Ghosts.kernelLog. */
const floodMessage =
  "A flood that fills the SYN queue writes one line into the kernel log of the whole machine, once for each listening " +
  'socket: "Possible SYN flooding on port …". To see it: sudo dmesg | grep flooding';

/** A group of ghost clients; see Lab.ghosts() and Lab.flood(). */
export class Ghosts implements Closable {
  private closing?: Promise<void>;
  /**
   * Of a flood, what it leaves behind outside the Lab; undefined for other ghosts. The kernel writes "TCP:
   * request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies." (or "Dropping request.") into the machine's
   * log, which network namespaces share: once for each listening socket whose SYN queue was full, and not with
   * tcp_syncookies = 2. Source: tcp_syn_flood_action()
   */
  readonly kernelLog: string | undefined;

  private constructor(
    private readonly host: LabHost,
    /** the threads: recordings sample their states. Each has a part of the addresses */
    readonly natives: readonly NativeGhosts[],
    /** how many ghosts there are, or will be */
    readonly length: number,
    /** what they send */
    readonly kind: GhostKind,
  ) {
    this.kernelLog = kind === "syn" ? floodMessage : undefined;
  }

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

/** The threads, not started yet. */
async function threads(host: LabHost, port: number, plan: GhostPlan, first: number): Promise<NativeGhosts[]> {
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

/** Clients with real sockets, thousands of them in one native thread, and the state of each. */
import { ArgumentError, errnoName, InterruptedError, requireInteger } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { ClientState, type ClientThread, native } from "../native";
import { valueAt } from "../native/column";
import { msUntil } from "../waiting/until";
import { requireQuiet, requireTimeout } from "../waiting/timeout";
import {
  type Carrier,
  type ClientCounts,
  type ClientStateName,
  clientStateNames,
  type ClientView,
  type ConnectOptions,
  indexes,
  planned,
  requireDescriptors,
  requireState,
  type SettledOptions,
  stateName,
  type Target,
  type UntilOptions,
} from "./client-options";
import { Connection } from "./connection";

/** ms for the mirror and the softirq to do their work */
const arrivalMargin = 10;
/** ms that close() waits for the mirror; with a longer round trip the mirror ends in the background */
const carrierPatience = 1000;

/** Clients that connect to one listener; see Lab.connect(). */
export class Clients implements Closable {
  private stopping?: Promise<void>;
  private interrupted = false;
  /** how many connections of take() are open */
  private taken = 0;
  private retiring?: Promise<void>;

  private constructor(
    private readonly host: LabHost,
    private readonly thread: ClientThread,
    /** ms from the start at which each client was to come */
    private readonly due: ArrayLike<number>,
    private readonly carrier: Carrier | undefined,
  ) {}

  /**
   * Makes the sockets, starts the thread and watches until the burst is over (see `quiet`).
   * @throws LimitError if this process cannot hold so many descriptors (nothing is started then); ArgumentError
   */
  static async start(
    host: LabHost,
    target: Target,
    options: ConnectOptions,
    onStart: (clients: Clients) => void,
  ): Promise<Clients> {
    let clients: Clients | undefined;
    try {
      clients = host.keep(await Clients.make(host, target, options));
      onStart(clients);
      clients.thread.start();
      const quiet = options.quiet ?? 100 + 3 * target.roundTrip;
      await clients.settled({ quiet });
    } catch (error) {
      // no caller has a reference to them
      await (clients ?? target.carrier)?.close();
      throw error;
    }
    // A client is ESTABLISHED when it has sent the final ACK; the connection is in the accept queue when the ACK has
    // arrived.
    if (target.roundTrip > 0) await new Promise((resolve) => setTimeout(resolve, target.roundTrip / 2 + arrivalMargin));
    return clients;
  }

  private static async make(host: LabHost, target: Target, options: ConnectOptions): Promise<Clients> {
    const { count, rate, schedule, sources } = planned(options, target);
    requireDescriptors(count);
    const fds = await host.sockets("tcp", count);
    let thread: ClientThread;
    try {
      thread = new native.ClientThread({
        fds,
        address: target.address,
        port: target.port,
        sources,
        rate,
        schedule,
      });
    } catch (error) {
      await native.closeLater(fds);
      throw error;
    }
    return new Clients(
      host,
      thread,
      schedule ?? Float64Array.from({ length: count }, (_, at) => (rate > 0 ? (1000 * at) / rate : 0)),
      target.carrier,
    );
  }

  /** how many clients there are */
  get length(): number {
    return this.thread.length;
  }

  /** the thread: recordings sample its states */
  get natives(): readonly ClientThread[] {
    return [this.thread];
  }

  /** How many clients are in each state: { synSent: 71, established: 129, … } */
  counts(): ClientCounts {
    const counts = this.thread.counts();
    return Object.fromEntries(
      clientStateNames.map((name) => [name, valueAt(counts, ClientState[name])]),
    ) as ClientCounts;
  }

  /** Indexes of the clients in a state, ascending. @throws ArgumentError there is no such state */
  which(state: ClientStateName): number[] {
    requireState(state);
    const states = this.thread.states();
    return Array.from(states.keys()).filter((at) => states[at] === ClientState[state]);
  }

  /** One client now. @param index from 0 to length - 1 @throws ArgumentError */
  at(index: number): ClientView {
    requireInteger(index, "index of a client", 0, this.length - 1);
    const error = valueAt(this.thread.errnos(), index);
    return {
      state: stateName(valueAt(this.thread.states(), index)),
      latency: valueAt(this.thread.latency(), index),
      connectAt: valueAt(this.thread.connectAt(), index),
      changedAt: valueAt(this.thread.changedAt(), index),
      localPort: valueAt(this.thread.localPorts(), index),
      bytesReceived: valueAt(this.thread.bytesReceived(), index),
      error: error === 0 ? "" : errnoName(error),
    };
  }

  /** ms from connect() to ESTABLISHED, one element for each client; NaN: the client is not ESTABLISHED, or not yet. */
  latencies(): Float64Array {
    return this.thread.latency();
  }

  /** The latencies of the clients that connected, ms, ascending. */
  connected(): Float64Array {
    return this.thread
      .latency()
      .filter((ms) => !Number.isNaN(ms))
      .sort();
  }

  /**
   * ms from the scheduled moment of each client until the server closed its connection: the response time of a server
   * that answers and closes. One element for each client; NaN: the server has not closed the connection. It counts from
   * the schedule and not from connect(), so that a late connect() is part of it.
   */
  served(): Float64Array {
    const states = this.thread.states();
    const changed = this.thread.changedAt();
    return Float64Array.from({ length: this.length }, (_, at) =>
      states[at] === ClientState.closedByServer ? valueAt(changed, at) - valueAt(this.due, at) : NaN,
    );
  }

  /**
   * Retransmissions of each client's SYN so far (TCP_INFO), one element for each client; 0 for a client whose socket is
   * closed.
   */
  resends(): Uint32Array {
    return Uint32Array.from(this.thread.fds(), (fd) => (fd < 0 ? 0 : native.tcpInfo(fd).totalRetrans));
  }

  /**
   * Waits until no client is idle or in SYN_SENT: true. False when no state has changed for `quiet` ms, or after
   * `timeout` ms.
   * Options: `quiet`, `timeout` (both ms).
   * @throws ArgumentError; InterruptedError: they were closed meanwhile
   */
  async settled({ quiet = Infinity, timeout = Infinity }: SettledOptions = {}): Promise<boolean> {
    requireQuiet(quiet);
    requireTimeout(timeout);
    let before = "";
    let changed = native.now();
    let settled = false;
    await this.watch((counts) => {
      const now = native.now();
      const picture = Object.values(counts).join();
      if (picture !== before || counts.idle > 0) changed = now;
      before = picture;
      settled = counts.idle === 0 && counts.synSent === 0;
      return settled || (counts.idle === 0 && now - changed >= quiet);
    }, timeout);
    return settled;
  }

  /**
   * Waits until `condition` of the counts holds: true, or false after `timeout` ms.
   * Options: `timeout` (ms, default 10,000).
   * @throws ArgumentError; InterruptedError: they were closed meanwhile
   */
  async until(condition: (counts: ClientCounts) => boolean, { timeout = 10_000 }: UntilOptions = {}): Promise<boolean> {
    return this.watch(condition, requireTimeout(timeout));
  }

  /**
   * All clients (or those with the indexes `which`) send `data`. Resolves to how many sent all of it: a client that is
   * not connected, or whose send buffer cannot take all of it, sends nothing.
   * @throws ArgumentError an index that no client has
   */
  send(data: string | Uint8Array, which?: ArrayLike<number>): Promise<number> {
    return this.thread.send(
      indexes(which, this.length),
      typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data),
    );
  }

  /**
   * All clients (or those with the indexes `which`) close: FIN. Resolves to how many were open. @throws ArgumentError
   */
  hangUp(which?: ArrayLike<number>): Promise<number> {
    return this.thread.close(indexes(which, this.length));
  }

  /**
   * All clients (or those with the indexes `which`) reset: RST. Resolves to how many were open. @throws ArgumentError
   */
  reset(which?: ArrayLike<number>): Promise<number> {
    return this.thread.reset(indexes(which, this.length));
  }

  /**
   * One client as a Connection, for a conversation by hand; it is no longer one of these clients' sockets. A mirror
   * that carries its packets stays as long as the connection is open.
   * @throws ArgumentError there is no such client, or its socket is closed
   */
  take(index: number): Connection {
    requireInteger(index, "index of a client", 0, this.length - 1);
    const fd = this.thread.release(index);
    if (fd < 0)
      throw new ArgumentError(`Client ${index} has no socket any more.`, `Its state is "${this.at(index).state}".`);
    this.taken += 1;
    return new Connection(this.host, fd, () => {
      this.taken -= 1;
      if (this.stopping) void this.retire();
    });
  }

  /**
   * Closes all clients and ends their thread, then the mirror that carried their packets, once the server has received
   * the last ones.
   * With an RTT above some 600 ms the mirror ends in the background. Counts and latencies stay readable. Idempotent.
   */
  close(): Promise<void> {
    this.interrupted = true;
    this.stopping ??= this.end();
    return this.stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(): Promise<void> {
    await this.thread.stop();
    this.host.drop(this);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.retire(), new Promise((resolve) => (timer = setTimeout(resolve, carrierPatience)))]);
    clearTimeout(timer);
  }

  /**
   * Ends the mirror, unless a connection of take() still needs it. Never rejects: the Lab closes the mirror at the
   * latest, and reports what failed.
   */
  private async retire(): Promise<void> {
    if (this.taken > 0) return;
    this.retiring ??= this.carrier?.retire().catch(() => undefined);
    await this.retiring;
  }

  private async watch(condition: (counts: ClientCounts) => boolean, timeout: number): Promise<boolean> {
    const took = await msUntil(() => {
      const holds = condition(this.counts());
      if (!holds && this.interrupted) throw new InterruptedError("Waiting for clients");
      return holds;
    }, timeout);
    return took < Infinity;
  }
}

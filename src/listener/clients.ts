/**
 * Thousands of real kernel clients in one native thread, and what becomes of each.
 */
import {
  ArgumentError,
  errnoName,
  InterruptedError,
  LimitError,
  requireInteger,
  requireKnown,
  requireNumber,
} from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { ClientState, ClientThread, native } from "../native";
import { Connection } from "./connection";
import { formatNumber } from "../wording/number";

export type ClientStateName = keyof typeof ClientState;
export const clientStateNames = Object.keys(ClientState) as ClientStateName[];

export interface ConnectOptions {
  /** how many; default 1 */
  clients?: number;
  /** connects a second, evenly spaced; default: as fast as one thread can */
  rate?: number;
  /** or the moment of each connect(), ms from the start, ascending */
  schedule?: ArrayLike<number>;
  /** source addresses, used in turn. Default: loopback's 127.0.0.1, and one more for every 20,000 clients */
  from?: string | string[];
  /** How long connect() watches for answers that are still to come: it resolves when every client has its answer, or when nothing has changed for `quiet` ms. Default 100 (mirror: 100 + 3 round trips) */
  quiet?: number;
}

/** One client, as it is now. */
export interface ClientView {
  state: ClientStateName;
  /** ms from connect() to ESTABLISHED; NaN if it is not */
  latency: number;
  /** ms from the start of the burst to connect() */
  connectAt: number;
  /** ms from the start of the burst to the last change of its state */
  changedAt: number;
  localPort: number;
  bytesReceived: number;
  /** ETIMEDOUT, ECONNREFUSED, …; "" if nothing failed */
  error: string;
}

const clientsPerAddress = 20_000;
/** ms for the mirror and the softirq to do their work */
const arrivalMargin = 10;
/** ms that close() waits for what carries the clients' packets; with a longer round trip it goes on in the background */
const carrierPatience = 1000;
/** descriptors left for everything else this process does */
const reserve = 64;

/** What carries the clients' packets: theirs alone, and no longer needed than they. */
export interface Carrier {
  /** Ends when what the clients have sent last has arrived and been answered. */
  retire(): Promise<void>;
  /** Ends now. */
  close(): Promise<void>;
}

export interface Target {
  address: string;
  port: number;
  roundTrip: number;
  spreadSources: boolean;
  /** belongs to the clients from start() on, also if that throws */
  carrier?: Carrier;
}

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
      // nobody else has got hold of them
      await (clients ?? target.carrier)?.close();
      throw error;
    }
    // A client is connected when it has sent its ACK; the listener is when the ACK has arrived.
    if (target.roundTrip > 0) await new Promise((resolve) => setTimeout(resolve, target.roundTrip / 2 + arrivalMargin));
    return clients;
  }

  private static async make(host: LabHost, target: Target, options: ConnectOptions): Promise<Clients> {
    requireKnown(options, ["clients", "rate", "schedule", "from", "quiet", "kind", "rtt", "loss"], "connect()");
    const count = requireInteger(options.clients ?? 1, "clients", 1, 100_000_000);
    const rate = options.rate === undefined ? 0 : requireNumber(options.rate, "rate (connects a second)", 0.001, 1e7);
    const schedule = options.schedule === undefined ? undefined : Float64Array.from(options.schedule);
    if (schedule && schedule.length !== count)
      throw new ArgumentError(`schedule has ${schedule.length} moments for ${count} clients.`, "Give one for each.");
    if (options.quiet !== undefined) requireNumber(options.quiet, "quiet (ms)", 0, 1e9);
    requireDescriptors(count);
    const fds = await host.sockets("tcp", count);
    let thread: ClientThread;
    try {
      thread = new native.ClientThread({
        fds,
        address: target.address,
        port: target.port,
        sources: sources(options, target, count),
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

  get length(): number {
    return this.thread.length;
  }

  /** for recordings, which sample the states */
  get natives(): readonly ClientThread[] {
    return [this.thread];
  }

  /** How many are in each state: { synSent: 71, established: 129, … } */
  counts(): Record<ClientStateName, number> {
    const counts = this.thread.counts();
    return Object.fromEntries(clientStateNames.map((name) => [name, counts[ClientState[name]]])) as Record<
      ClientStateName,
      number
    >;
  }

  /** Indexes of the clients in a state, ascending. */
  which(state: ClientStateName): number[] {
    requireState(state);
    const states = this.thread.states();
    return Array.from(states.keys()).filter((at) => states[at] === ClientState[state]);
  }

  /** One client now. */
  at(index: number): ClientView {
    requireInteger(index, "index of a client", 0, this.length - 1);
    const error = this.thread.errnos()[index];
    return {
      state: clientStateNames[this.thread.states()[index]],
      latency: this.thread.latency()[index],
      connectAt: this.thread.connectAt()[index],
      changedAt: this.thread.changedAt()[index],
      localPort: this.thread.localPorts()[index],
      bytesReceived: this.thread.bytesReceived()[index],
      error: error === 0 ? "" : errnoName(error),
    };
  }

  /** ms from connect() to ESTABLISHED of each client, NaN where it is not (yet) connected. */
  latencies(): Float64Array {
    return this.thread.latency();
  }

  /** Latencies of those that connected, ascending. */
  connected(): Float64Array {
    return this.thread
      .latency()
      .filter((ms) => !Number.isNaN(ms))
      .sort();
  }

  /**
   * ms from the moment at which each client was to come until the server had closed its connection: what a client of a server that
   * answers and closes feels. NaN where that has not happened. Measured from the schedule, not from connect(): a late start counts.
   */
  served(): Float64Array {
    const states = this.thread.states();
    const changed = this.thread.changedAt();
    return Float64Array.from({ length: this.length }, (_, at) =>
      states[at] === ClientState.closedByServer ? changed[at] - this.due[at] : NaN,
    );
  }

  /** SYN resends of each client so far (TCP_INFO); clients whose socket is closed count 0. */
  resends(): Uint32Array {
    return Uint32Array.from(this.thread.fds(), (fd) => (fd < 0 ? 0 : native.tcpInfo(fd).totalRetrans));
  }

  /** Resolves to true when no client is on its way any more; to false when nothing has changed for `quiet` ms, or after `timeout` ms. */
  async settled({ quiet = Infinity, timeout = Infinity }: { quiet?: number; timeout?: number } = {}): Promise<boolean> {
    const start = native.now();
    let before = "";
    let changed = start;
    return this.watch((counts) => {
      const now = native.now();
      const picture = Object.values(counts).join();
      if (picture !== before || counts.idle > 0) changed = now;
      before = picture;
      if (counts.idle === 0 && counts.synSent === 0) return true;
      return (counts.idle === 0 && now - changed >= quiet) || now - start >= timeout ? false : undefined;
    });
  }

  /** Waits until `condition` of the counts holds: true, or false after `timeout` ms. */
  async until(
    condition: (counts: Record<ClientStateName, number>) => boolean,
    { timeout = 10_000 }: { timeout?: number } = {},
  ): Promise<boolean> {
    const start = native.now();
    return this.watch((counts) => (condition(counts) ? true : native.now() - start >= timeout ? false : undefined));
  }

  /** All (or some) write `data`; resolves to how many could. */
  send(data: string | Uint8Array, which?: ArrayLike<number>): Promise<number> {
    return this.thread.send(
      indexes(which, this.length),
      typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data),
    );
  }

  /** All (or some) close: FIN. Resolves to how many were open. */
  hangUp(which?: ArrayLike<number>): Promise<number> {
    return this.thread.close(indexes(which, this.length));
  }

  /** All (or some) reset: RST. */
  reset(which?: ArrayLike<number>): Promise<number> {
    return this.thread.reset(indexes(which, this.length));
  }

  /** Takes one client out as a Connection of its own. Its packets go the way of the clients', whose mirror stays for as long as it is open. */
  take(index: number): Connection {
    requireInteger(index, "index of a client", 0, this.length - 1);
    const fd = this.thread.release(index);
    if (fd < 0)
      throw new ArgumentError(`Client ${index} has no socket any more.`, `It is in state "${this.at(index).state}".`);
    this.taken += 1;
    return new Connection(this.host, fd, () => {
      this.taken -= 1;
      if (this.stopping) void this.retire();
    });
  }

  /**
   * Closes all of them and ends the thread; then their mirror ends, too, once the server has heard of it (with a round trip of more than some
   * 600 ms in the background). Idempotent. Counts and latencies stay readable.
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

  /** Lets the mirror go, unless a connection of take() still needs it. Never rejects: the Lab closes the mirror at the latest, and says what failed. */
  private async retire(): Promise<void> {
    if (this.taken > 0) return;
    this.retiring ??= this.carrier?.retire().catch(() => undefined);
    await this.retiring;
  }

  private async watch(decide: (counts: Record<ClientStateName, number>) => boolean | undefined): Promise<boolean> {
    for (;;) {
      const decided = decide(this.counts());
      if (decided !== undefined) return decided;
      if (this.interrupted) throw new InterruptedError("Waiting for clients");
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

function requireState(state: string): void {
  if (!(state in ClientState))
    throw new ArgumentError(`There is no client state "${state}".`, `There are: ${clientStateNames.join(", ")}.`);
}

function requireDescriptors(count: number): void {
  const { soft, open } = native.descriptors();
  const free = soft - open - reserve;
  if (count > free) {
    throw new LimitError(
      `${formatNumber(count)} clients need as many descriptors, and this process has ${formatNumber(Math.max(0, free))} left of ${formatNumber(soft)}.`,
      `Ask for fewer (accepting them here needs one each, too), or raise the limit before starting Jupyter: \`ulimit -Hn\`.`,
    );
  }
}

function sources(options: ConnectOptions, target: Target, count: number): string[] {
  if (options.from !== undefined) return typeof options.from === "string" ? [options.from] : options.from;
  if (!target.spreadSources || count <= clientsPerAddress) return [];
  return Array.from({ length: Math.ceil(count / clientsPerAddress) }, (_, at) => `127.0.${at >> 8}.${(at & 255) + 1}`);
}

function indexes(which: ArrayLike<number> | undefined, length: number): Int32Array | null {
  if (which === undefined) return null;
  return Int32Array.from(which, (index) => requireInteger(index, "index of a client", 0, length - 1));
}

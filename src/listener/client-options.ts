/** What readers ask of clients with real sockets: options, counts, and where the clients connect to. */
import { ArgumentError, LimitError, requireInteger, requireKnown, requireNumber } from "../errors";
import { ClientState, native } from "../native";
import { requireQuiet } from "../waiting/timeout";
import { countOf, formatNumber } from "../wording/number";

/** The state of a client, by name. */
export type ClientStateName = keyof typeof ClientState;
/** The names in the order of their numbers in ClientState. */
export const clientStateNames = Object.keys(ClientState) as ClientStateName[];

/** How many clients are in each state. */
export type ClientCounts = Record<ClientStateName, number>;

/** How many clients connect, when, and from where. */
export interface ConnectOptions {
  /** how many clients; default 1 */
  clients?: number;
  /** connects per second, evenly spaced; default: as fast as one thread can */
  rate?: number;
  /** instead of `rate`: the moment of each connect(), ms from the start, ascending; one element for each client */
  schedule?: ArrayLike<number>;
  /** source addresses, used in turn. Default over loopback: 127.0.0.1, and one more for every 20,000 clients */
  from?: string | string[];
  /**
   * ms without a change of any client's state: then connect() resolves, although some clients have no answer yet. It
   * resolves earlier when every client has its answer; see settled(). Default 100 (mirror clients: 100 + 3 × `rtt`)
   */
  quiet?: number;
}

/** When settled() ends. */
export interface SettledOptions {
  /**
   * ms without a change of any client's state, counted from the last connect(); Infinity: this does not end the wait,
   * the default
   */
  quiet?: number;
  /** ms; Infinity: no time limit, the default */
  timeout?: number;
}

/** When until() ends. */
export interface UntilOptions {
  /** ms; Infinity: no time limit. Default 10,000 */
  timeout?: number;
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
  /** local port; 0 until the kernel has chosen it */
  localPort: number;
  /** bytes that the client has received */
  bytesReceived: number;
  /** ETIMEDOUT, ECONNREFUSED, …; "" if nothing failed */
  error: string;
}

const clientsPerAddress = 20_000;
/** descriptors left for everything else this process does */
const reserve = 64;

/** What carries the packets of these clients and no others (a mirror). It is needed as long as the clients are. */
export interface Carrier {
  /** Ends when the clients' last packets have arrived and been answered. */
  retire(): Promise<void>;
  /** Ends now. */
  close(): Promise<void>;
}

/** Where the clients connect to. */
export interface Target {
  address: string;
  port: number;
  /** round-trip time, ms; 0 over loopback */
  roundTrip: number;
  /** true: more than 20,000 clients get several source addresses of 127.0.0.0/8 */
  spreadSources: boolean;
  /** belongs to the clients from start() on, also if that throws */
  carrier?: Carrier;
}

/** What was asked for, checked and with its defaults. */
export interface ClientPlan {
  /** clients */
  count: number;
  /** connects per second; 0: as fast as one thread can */
  rate: number;
  /** ms from the start, one element for each client */
  schedule: Float64Array | undefined;
  /** source addresses, used in turn; empty: the kernel chooses */
  sources: string[];
}

/** @throws ArgumentError */
export function planned(options: ConnectOptions, target: Target): ClientPlan {
  requireKnown(options, ["clients", "rate", "schedule", "from", "quiet", "kind", "rtt", "loss"], "connect()");
  const count = requireInteger(options.clients ?? 1, "clients", 1, 100_000_000);
  const rate = options.rate === undefined ? 0 : requireNumber(options.rate, "rate (connects per second)", 0.001, 1e7);
  const schedule = options.schedule === undefined ? undefined : Float64Array.from(options.schedule);
  if (schedule && schedule.length !== count)
    throw new ArgumentError(
      `schedule has ${countOf(schedule.length, "moment")} for ${countOf(count, "client")}.`,
      "Give one moment for each client.",
    );
  if (options.quiet !== undefined) requireQuiet(options.quiet);
  return { count, rate, schedule, sources: sources(options, target, count) };
}

/** @throws LimitError this process cannot hold so many descriptors */
export function requireDescriptors(count: number): void {
  const { soft, open } = native.descriptors();
  const free = soft - open - reserve;
  if (count > free) {
    throw new LimitError(
      `${countOf(count, "client")}: each needs a file descriptor, and this process has ${formatNumber(Math.max(0, free))} left of ${formatNumber(soft)}.`,
      "Ask for fewer clients (accepting one here needs a descriptor, too), or raise the limit before you start Jupyter: `ulimit -Hn`.",
    );
  }
}

function sources(options: ConnectOptions, target: Target, count: number): string[] {
  if (options.from !== undefined) return typeof options.from === "string" ? [options.from] : options.from;
  if (!target.spreadSources || count <= clientsPerAddress) return [];
  return Array.from({ length: Math.ceil(count / clientsPerAddress) }, (_, at) => `127.0.${at >> 8}.${(at & 255) + 1}`);
}

/** The name of a state. @throws RangeError a number that no state has */
export function stateName(number: number): ClientStateName {
  const name = clientStateNames[number];
  if (name === undefined) throw new RangeError(`There is no client state with the number ${number}.`);
  return name;
}

/** @throws ArgumentError there is no such state */
export function requireState(state: string): void {
  if (!(state in ClientState))
    throw new ArgumentError(`There is no client state "${state}".`, `The states are ${clientStateNames.join(", ")}.`);
}

/** Indexes as the native thread takes them; null: all clients. @throws ArgumentError an index that no client has */
export function indexes(which: ArrayLike<number> | undefined, length: number): Int32Array | null {
  if (which === undefined) return null;
  return Int32Array.from(which, (index) => requireInteger(index, "index of a client", 0, length - 1));
}

/** Honest clients during a SYN flood: the measurement of claims 54 and 57, and of notebook 07. */
import { setTimeout as wait } from "node:timers/promises";
import type { Lab } from "../front-door";
import type { Trace } from "../trace/trace";
import type { GhostCounts } from "../wire/ghosts";

const backlog = 128;
const rtt = 20;

/** What happened during one flood. */
export interface FloodOutcome {
  /** net.ipv4.tcp_syncookies */
  cookies: number;
  /** SYNs of the flood */
  flood: number;
  /** honest clients */
  clients: number;
  /** honest clients that the application had accepted when the flood ended */
  connected: number;
  /** requests in the SYN queue during the flood */
  synQueue: number;
  /** SyncookiesSent */
  cookiesSent: number;
}

/** One flood, and the honest clients during it. */
export interface FloodSettings {
  /** net.ipv4.tcp_syncookies */
  cookies: number;
  /** SYNs of the flood; 0: none, to compare with */
  flood: number;
  /** honest clients; they connect evenly spread over the time of the flood */
  clients: number;
  /** SYNs per second; default 40,000 */
  rate?: number;
  /** threads that send them; default 1 */
  threads?: 1 | 2 | 4;
  /** ms after the flood within which clients may still connect; default 0 */
  patience?: number;
  /** make a recording and a live plot of it; default false */
  live?: boolean;
}

/** What underFlood() has measured. */
export interface UnderFlood {
  /** the evidence for claims 54 and 57 */
  outcome: FloodOutcome;
  /** how the kernel answered the SYNs of the flood; undefined without a flood */
  answers?: GhostCounts;
  /** SYNs per second that this machine reached */
  rate: number;
  /** ms from connect() to ESTABLISHED of each honest client; NaN: not within `patience` */
  latencies: Float64Array;
  /** undefined unless `live` */
  trace?: Trace;
}

/**
 * Connects honest clients with RTT 20 ms during a SYN flood. The server has a backlog of 128 and accepts at once. Sets tcp_syncookies.
 * @throws LabError a sysctl cannot be set, or the flood cannot be sent
 */
export async function underFlood(
  lab: Lab,
  { cookies, flood: syns, clients, rate = 40_000, threads = 1, patience = 0, live = false }: FloodSettings,
): Promise<UnderFlood> {
  await lab.sysctl.set({ "net.ipv4.tcp_syncookies": cookies });
  const listener = await lab.listen({ backlog });
  const loop = listener.acceptLoop();
  const recording = live ? await lab.record(listener, { hz: 250, countersHz: 25 }) : undefined;
  const before = lab.counters();
  const flood = syns > 0 ? await lab.flood(listener, { count: syns, rate, threads }) : undefined;
  if (flood) await wait(200);
  const seconds = Math.max(1, syns / rate - 0.5);
  const coming = lab.connect(listener, { clients, rate: clients / seconds, kind: "mirror", rtt, quiet: 300 });
  await wait(500 * seconds);
  const { synQueue } = listener;
  const crowd = await coming;
  const answers = await flood?.finished();
  const outcome = {
    cookies,
    flood: syns,
    clients,
    connected: loop.accepted,
    synQueue,
    cookiesSent: lab.counters().since(before).get("SyncookiesSent"),
  };
  await crowd.settled({ timeout: patience });
  const result = {
    outcome,
    answers,
    rate: flood?.rate ?? 0,
    latencies: crowd.latencies(),
    trace: await recording?.stop(),
  };
  await crowd.close();
  await flood?.reset();
  await flood?.close();
  await loop.close();
  await listener.close();
  return result;
}

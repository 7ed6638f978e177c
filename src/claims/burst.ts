/** Clients that connect at once, and an application that accepts at a steady rate: what happens to each client. */
import type { Lab } from "../front-door";
import { native } from "../native";
import { formatNumber } from "../wording/number";
import { amount, count, optional, text } from "./evidence";
import { msUntil } from "../waiting/until";

/** What happened to the clients of a burst. */
export interface BurstOutcome {
  /** the argument of listen(2) */
  backlog: number;
  /** clients that connected at once */
  clients: number;
  /** accepts per second; 0: as fast as the loop can */
  rate: number;
  /** connections in the accept queue right after the burst */
  acceptQueue: number;
  /** requests in the SYN queue then */
  synQueue: number;
  /** clients in neither queue then */
  outside: number;
  /** seconds until all clients were accepted, or until the measurement ended */
  seconds: number;
  /** connections that the application had accepted by then */
  accepted: number;
  /** SYNs that were retransmitted */
  resends: number;
  /** clients that are ESTABLISHED without a connection on the server */
  phantoms: number;
  /** clients in SYN_SENT */
  trying: number;
  /** clients that timed out */
  timedOut: number;
  /** clients that were refused or reset */
  reset: number;
  /** seconds until the first client ended with an error; undefined if no client did */
  gaveUp?: number;
  /** this error: "ETIMEDOUT" */
  error?: string;
  /** net.ipv4.tcp_syncookies */
  cookies: number;
}

/** One burst. */
export interface BurstSettings {
  /** clients that connect at once, over loopback */
  clients: number;
  /** the argument of listen(2) */
  backlog: number;
  /** connections that the application accepts per second; 0: as fast as it can */
  rate: number;
  /** seconds after which the measurement ends, if not all clients are accepted before */
  seconds: number;
}

/**
 * Connects clients at once over loopback. The application accepts at a steady rate and closes each connection. The measurement ends when
 * all clients are accepted, when none is left that could be, or after `seconds`.
 */
export async function burst(lab: Lab, { clients, backlog, rate, seconds }: BurstSettings): Promise<BurstOutcome> {
  const listener = await lab.listen({ backlog });
  const before = lab.counters();
  const start = native.now();
  const crowd = await lab.connect(listener, { clients, quiet: 20 });
  const acceptQueue = listener.acceptQueue;
  const { synQueue } = listener;
  const loop = listener.acceptLoop({ close: true, ...(rate > 0 && { rate }) });
  await msUntil(
    () => loop.accepted >= clients || (crowd.counts().synSent === 0 && listener.acceptQueue + listener.synQueue === 0),
    1000 * seconds,
  );
  const counts = crowd.counts();
  const [gone] = (["timedOut", "reset", "refused"] as const)
    .flatMap((state) => crowd.which(state))
    .map((index) => crowd.at(index));
  const outcome: BurstOutcome = {
    backlog,
    clients,
    rate,
    acceptQueue,
    synQueue,
    outside: clients - acceptQueue - synQueue,
    seconds: (native.now() - start) / 1000,
    accepted: loop.accepted,
    resends: lab.counters().since(before).get("TCPSynRetrans"),
    phantoms: Math.max(0, counts.established - listener.acceptQueue - listener.synQueue),
    trying: counts.synSent,
    timedOut: counts.timedOut,
    reset: counts.reset + counts.refused,
    ...(gone && { gaveUp: (gone.changedAt - gone.connectAt) / 1000, error: gone.error }),
    cookies: await lab.sysctl.get("net.ipv4.tcp_syncookies"),
  };
  await loop.close();
  await crowd.close();
  await listener.close();
  return outcome;
}

/** The evidence of one burst: the fields of BurstOutcome. */
export const outcomeFields = {
  backlog: count("the argument of listen(2)"),
  clients: count("clients that connected at once"),
  rate: amount("accepts per second; 0: as fast as the loop can"),
  acceptQueue: count("connections in the accept queue right after the burst"),
  synQueue: count("requests in the SYN queue then"),
  outside: count("clients in neither queue"),
  seconds: amount("seconds until all were accepted, or until the measurement ended"),
  accepted: count("connections accepted by then"),
  resends: count("SYNs that clients retransmitted (TCPSynRetrans)"),
  phantoms: count("clients that are ESTABLISHED without a connection on the server"),
  trying: count("clients that are still in SYN_SENT"),
  timedOut: count("clients that timed out"),
  reset: count("clients that were refused or reset"),
  gaveUp: optional(amount("seconds until the first client ended with an error")),
  error: optional(text("the error of this connect()")),
  cookies: count("net.ipv4.tcp_syncookies"),
};

interface Lost {
  phantoms: number;
  trying: number;
  timedOut: number;
  gaveUp?: number;
  error?: string;
  cookies: number;
}

/** The clients that were not accepted, in words: "372 timed out after 3.0 s with ETIMEDOUT, 0 in SYN_SENT, 0 phantoms (…)". */
export function lost({ phantoms, trying, timedOut, gaveUp, error, cookies }: Lost): string {
  const ended =
    timedOut > 0
      ? `${formatNumber(timedOut)} timed out${gaveUp === undefined ? "" : ` after ${gaveUp.toFixed(1)} s`}${error ? ` with ${error}` : ""}, `
      : "";
  return `${ended}${formatNumber(trying)} in SYN_SENT, ${formatNumber(phantoms)} phantoms (tcp_syncookies = ${cookies})`;
}

/** Claims 37, 54, 56, 57 and 58: a flood of SYNs without and with SYN cookies. */
import { setTimeout as wait } from "node:timers/promises";
import { ArgumentError } from "../errors";
import type { Lab } from "../front-door";
import { kernelMemory } from "../lab/memory";
import { countOf, formatNumber } from "../wording/number";
import type { Trace } from "../trace/trace";
import type { GhostCounts } from "../wire/ghosts";
import { claim } from "./claim";
import { count, group, list, optional, amount } from "./evidence";
import { inLab } from "./experiment";

const backlog = 128;
const rtt = 20;

export interface FloodOutcome {
  cookies: number;
  /** SYNs of the flood */
  flood: number;
  /** legitimate clients, and how many of them the server knew when the flood ended */
  clients: number;
  connected: number;
  /** requests in the SYN queue in the middle of it */
  synQueue: number;
  /** SyncookiesSent */
  cookiesSent: number;
}

export interface FloodSettings {
  /** net.ipv4.tcp_syncookies */
  cookies: number;
  /** SYNs of the flood; 0: none, to compare with */
  flood: number;
  /** legitimate clients; they come evenly spread over the time of the flood */
  clients: number;
  /** SYNs a second; default 40,000 */
  rate?: number;
  /** threads that send them; default 1 */
  threads?: 1 | 2 | 4;
  /** for how many ms after the flood clients without an answer are waited for; default 0 */
  patience?: number;
  /** a recording, and a live plot of it; default false */
  live?: boolean;
}

export interface UnderFlood {
  outcome: FloodOutcome;
  /** what became of the flood's SYNs; undefined without a flood */
  answers?: GhostCounts;
  /** SYNs a second that this machine has reached */
  rate: number;
  /** ms from connect() to ESTABLISHED of each legitimate client; NaN: never, within its patience */
  latencies: Float64Array;
  /** undefined unless `live` */
  trace?: Trace;
}

/** Legitimate clients, one round trip of 20 ms away, while a flood is on; the server has a backlog of 128 and accepts at once. */
export async function underFlood(
  lab: Lab,
  { cookies, flood: count, clients, rate = 40_000, threads = 1, patience = 0, live = false }: FloodSettings,
): Promise<UnderFlood> {
  await lab.sysctl.set({ "net.ipv4.tcp_syncookies": cookies });
  const listener = await lab.listen({ backlog });
  const loop = listener.acceptLoop();
  const recording = live ? await lab.record(listener, { hz: 250, countersHz: 25 }) : undefined;
  const before = lab.counters();
  const flood = count > 0 ? await lab.flood(listener, { count, rate, threads }) : undefined;
  if (flood) await wait(200);
  const seconds = Math.max(1, count / rate - 0.5);
  const coming = lab.connect(listener, { clients, rate: clients / seconds, kind: "mirror", rtt, quiet: 300 });
  await wait(500 * seconds);
  const { synQueue } = listener;
  const crowd = await coming;
  const answers = await flood?.finished();
  const outcome = {
    cookies,
    flood: count,
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

async function floods() {
  return inLab({ sysctls: { "net.ipv4.tcp_max_syn_backlog": 4096 } }, async (lab) => {
    const outcomes: FloodOutcome[] = [];
    outcomes.push((await underFlood(lab, { cookies: 0, flood: 0, clients: 100 })).outcome);
    for (const cookies of [0, 1, 2])
      outcomes.push((await underFlood(lab, { cookies, flood: 100_000, clients: 100 })).outcome);
    return outcomes;
  });
}

const outcome = {
  cookies: count("net.ipv4.tcp_syncookies"),
  flood: count("SYNs of the flood"),
  clients: count("legitimate clients that tried meanwhile"),
  connected: count("legitimate clients that the application got while the flood was on"),
  synQueue: count("requests in the SYN queue during the flood"),
  cookiesSent: count("SyncookiesSent"),
};

function words({ cookies, flood, clients, connected, synQueue }: FloodOutcome): string {
  return `tcp_syncookies ${cookies}, ${formatNumber(flood)} SYNs: ${connected} of ${clients} legitimate clients connect${flood > 0 ? " meanwhile" : ""}, SYN queue ${synQueue}`;
}

export const floodWithoutCookies = claim({
  number: 54,
  section: "Part 5",
  statement: "A flood of 100,000 SYNs from false addresses fills the SYN queue, and legitimate clients cannot connect.",
  quote: "Legitimate clients: Cannot complete handshake",
  notebook: "07",
  evidence: {
    without: group("legitimate clients during a flood, SYN cookies off", outcome),
    calm: optional(group("the same without a flood", outcome)),
  },
  experiment: async (once) => {
    const [calm, without] = await once(floods);
    return { without, calm };
  },
  judge({ without, calm }) {
    if (without.flood === 0 || without.clients === 0)
      throw new ArgumentError("A flood and legitimate clients are needed.", "Give a measurement with both.");
    if (without.cookies !== 0)
      throw new ArgumentError("This claim is about a kernel without SYN cookies.", "Set tcp_syncookies to 0.");
    const measured = [words(without), ...(calm ? [words(calm)] : [])].join("; ");
    const kernel = "tcp_conn_request()";
    if (calm && calm.connected < 0.9 * calm.clients)
      throw new ArgumentError("Without a flood the clients did not connect either.", "Is something else in their way?");
    if (without.connected * 2 < without.clients)
      return {
        verdict: "holds",
        measured,
        why: "A full SYN queue drops every SYN, theirs too. When it is more than half full, reqsk_timer_handler() gives requests up after fewer resends than tcp_synack_retries allows; that is still seconds.",
        kernel,
      };
    return { verdict: "false", measured, why: "Most of them connected all the same.", kernel };
  },
});

export const cookiesServe = claim({
  number: 57,
  section: "Part 5",
  statement:
    "With SYN cookies the ACK's number is validated, the connection is made from it, and legitimate clients still connect during a flood.",
  quote: "Legitimate clients still work during attack",
  notebook: "07",
  evidence: {
    with: group("legitimate clients during a flood, SYN cookies on", outcome),
    without: optional(group("the same with cookies off", outcome)),
  },
  experiment: async (once) => {
    const [, without, on] = await once(floods);
    return { with: on, without };
  },
  judge({ with: on, without }) {
    if (on.flood === 0 || on.cookiesSent === 0)
      throw new ArgumentError("No cookie was sent.", "Flood the listener with tcp_syncookies 1 or 2.");
    const measured = [words(on), ...(without ? [words(without)] : [])].join("; ");
    const kernel = "cookie_v4_check()";
    if (on.connected >= 0.95 * on.clients)
      return {
        verdict: "holds",
        measured,
        why: "At a price: what the SYN offered beyond the MSS is forgotten, unless timestamps carry it.",
        kernel,
      };
    return {
      verdict: on.connected * 2 > on.clients ? "depends" : "false",
      measured,
      why: "Some were lost all the same.",
      kernel,
    };
  },
});

async function defaultCookies() {
  return inLab({}, async (lab) => {
    const value = await lab.sysctl.get("net.ipv4.tcp_syncookies");
    const rows = [];
    for (const cookies of [0, 1, 2]) {
      await lab.sysctl.set({ "net.ipv4.tcp_syncookies": cookies });
      const listener = await lab.listen({ backlog: 16 });
      const before = lab.counters();
      const flood = await lab.flood(listener, { count: 100 });
      await flood.finished();
      rows.push({
        cookies,
        syns: 100,
        cookiesSent: lab.counters().since(before).get("SyncookiesSent"),
        synQueue: listener.synQueue,
      });
      await listener.close();
    }
    return { value, rows };
  });
}

export const cookiesSetting = claim({
  number: 58,
  section: "Part 5",
  statement: "SYN cookies are enabled by net.ipv4.tcp_syncookies = 1.",
  quote: "sysctl -w net.ipv4.tcp_syncookies=1",
  notebook: "07",
  evidence: {
    value: count("what a fresh Lab has"),
    rows: list("a small flood under each setting", {
      cookies: count("net.ipv4.tcp_syncookies"),
      syns: count("SYNs"),
      cookiesSent: count("SyncookiesSent"),
      synQueue: count("requests in the SYN queue"),
    }),
  },
  experiment: (once) => once(defaultCookies),
  judge({ value, rows }) {
    const sent = (setting: number) =>
      rows.filter(({ cookies }) => cookies === setting).reduce((sum, { cookiesSent }) => sum + cookiesSent, 0);
    if (!rows.some(({ cookies }) => cookies === 0) || !rows.some(({ cookies }) => cookies === 1))
      throw new ArgumentError("Settings 0 and 1 must be compared.", "Measure both.");
    const measured = `a fresh namespace has ${value}; cookies sent: ${rows.map(({ cookies, cookiesSent, syns }) => `${cookiesSent} of ${syns} with ${cookies}`).join(", ")}`;
    const kernel = "tcp_syn_flood_action()";
    if (sent(1) === 0 || sent(0) > 0)
      return { verdict: "false", measured, why: "The setting does something else.", kernel };
    const already = value === 1 ? " It is the default: nobody need set it." : "";
    return { verdict: "holds", measured, why: `1 sends cookies once the queue is full, 2 always.${already}`, kernel };
  },
});

const requests = 50_000;

export interface FloodCost {
  /** SYNs of the flood */
  syns: number;
  /** SyncookiesSent */
  cookiesSent: number;
  /** requests in the SYN queue after it */
  entries: number;
  /** bytes that the kernel's small objects have grown by */
  bytes: number;
}

/** 50,000 SYNs to a listener with room for all of them: what the kernel remembers of them, and what that costs. */
export async function floodCost(lab: Lab, { cookies }: { cookies: number }): Promise<FloodCost> {
  await lab.sysctl.set({ "net.core.somaxconn": 2 * requests, "net.ipv4.tcp_syncookies": cookies });
  const listener = await lab.listen({ backlog: 2 * requests });
  const counters = lab.counters();
  const before = kernelMemory().slab;
  const flood = await lab.flood(listener, { count: requests });
  await flood.finished();
  const bytes = Math.max(0, kernelMemory().slab - before);
  const cost = {
    syns: requests,
    cookiesSent: lab.counters().since(counters).get("SyncookiesSent"),
    entries: listener.synQueue,
    bytes,
  };
  await flood.reset();
  await flood.close();
  await listener.close();
  return cost;
}

/** The same SYNs once remembered, once answered by cookies. */
async function memoryOfFlood() {
  return inLab({ hashBuckets: 16_384 }, async (lab) => {
    // cookies first: what the other flood frees would be taken for their saving
    const withCookies = await floodCost(lab, { cookies: 2 });
    return { withCookies, remembered: await floodCost(lab, { cookies: 1 }) };
  });
}

const cost = {
  syns: count("SYNs of the flood"),
  cookiesSent: count("SyncookiesSent"),
  entries: count("requests in the SYN queue after it"),
  bytes: amount("bytes that the kernel's small objects have grown by"),
};

function costWords({ syns, entries, bytes }: { syns: number; entries: number; bytes: number }): string {
  return `${formatNumber(syns)} SYNs: ${formatNumber(entries)} in the SYN queue, ${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

export const floodsCostNothing = claim({
  number: 37,
  section: "Part 3",
  statement: "With SYN cookies the kernel survives SYN floods without using up memory.",
  quote: "without exhausting memory",
  notebook: "07",
  evidence: {
    withCookies: group("a flood answered by cookies", cost),
    remembered: optional(group("the same flood with room for all of it in the SYN queue", cost)),
  },
  experiment: (once) => once(memoryOfFlood),
  judge({ withCookies, remembered }) {
    if (withCookies.cookiesSent < withCookies.syns / 2)
      throw new ArgumentError(
        "Most of that flood was not answered by cookies.",
        "Set tcp_syncookies to 2, or flood more than the queue holds.",
      );
    const measured = `cookies: ${costWords(withCookies)}${remembered ? `; without: ${costWords(remembered)}` : ""}`;
    const kernel = "cookie_init_sequence()";
    const each = withCookies.bytes / withCookies.syns;
    // a request sock takes some 300 bytes; the machine's other doings are in the figure, too
    if (each < 100)
      return {
        verdict: "holds",
        measured,
        why: "For half-open handshakes: what the kernel must know comes back with the ACK. Connections that complete cost as much as ever.",
        kernel,
      };
    return { verdict: "false", measured, why: "The memory has grown with the flood.", kernel };
  },
});

export const neverQueued = claim({
  number: 56,
  section: "Part 5",
  statement: "When it sends a cookie the kernel allocates nothing for the SYN and keeps it out of the SYN queue.",
  quote: "Does NOT allocate resources",
  notebook: "07",
  evidence: { withCookies: group("a flood answered by cookies", cost) },
  experiment: (once) => once(memoryOfFlood),
  judge({ withCookies }) {
    if (withCookies.cookiesSent === 0)
      throw new ArgumentError("No cookie was sent.", "Set tcp_syncookies to 2, or flood more than the queue holds.");
    const remembered = withCookies.syns - withCookies.cookiesSent;
    const measured = `${countOf(withCookies.cookiesSent, "cookie")} sent, ${costWords(withCookies)}`;
    const kernel = "tcp_conn_request()";
    if (withCookies.entries <= remembered)
      return {
        verdict: "holds",
        measured,
        why: "The text says that the SYN is dropped from the queue: it was never in it. A request is made for the time of writing the SYN-ACK, and freed.",
        kernel,
      };
    return { verdict: "false", measured, why: "SYNs that were answered by cookies are in the queue.", kernel };
  },
});

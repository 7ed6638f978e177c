/** Claims 22, 41 and 49 to 53: accept loops that are too slow, and what a longer backlog and an earlier hand-off change. */
import { ArgumentError } from "../errors";
import type { Lab } from "../front-door";
import { constant } from "../listener/arrivals";
import { native } from "../native";
import { blocking, handOff, Server } from "../server/accept-loops";
import { formatNumber, formatTime } from "../trace/quantity";
import { claim } from "./claim";
import { Haste, hasten } from "./client-timeouts";
import { amount, count, group, optional, text } from "./evidence";
import { inLab, msUntil } from "./experiment";
import { many, withCookies as stated } from "./wording";

const backlog = 128;

export interface BurstOutcome {
  backlog: number;
  clients: number;
  /** accepts a second; 0: as fast as it can */
  rate: number;
  /** right after the burst */
  acceptQueue: number;
  synQueue: number;
  /** clients in neither queue */
  outside: number;
  /** when the watch ended */
  seconds: number;
  accepted: number;
  /** SYNs that were sent again */
  resends: number;
  /** clients that believe to be connected, and of whom the server knows nothing */
  phantoms: number;
  /** clients that are still trying */
  trying: number;
  /** clients that stopped trying by their own timer */
  timedOut: number;
  /** clients that were refused or reset */
  reset: number;
  /** seconds that the first of those tried that ended with an error, and the error */
  gaveUp?: number;
  error?: string;
  cookies: number;
}

/** Clients that come at once over loopback, and an application that accepts at a steady rate; watched for some seconds or until all are in. */
export async function burst(lab: Lab, { clients, backlog, rate, seconds }: { clients: number; backlog: number; rate: number; seconds: number }): Promise<BurstOutcome> {
  const listener = await lab.listen({ backlog });
  const before = lab.counters();
  const start = native.now();
  const crowd = await lab.connect(listener, { clients, quiet: 20 });
  const acceptQueue = listener.acceptQueue;
  const { synQueue } = listener;
  const loop = listener.acceptLoop({ close: true, ...(rate > 0 && { rate }) });
  await msUntil(() => loop.accepted >= clients || (crowd.counts().synSent === 0 && listener.acceptQueue + listener.synQueue === 0), 1000 * seconds);
  const counts = crowd.counts();
  const [gone] = (["timedOut", "reset", "refused"] as const).flatMap((state) => crowd.which(state)).map((index) => crowd.at(index));
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

const outcome = {
  backlog: count("the argument of listen(2)"),
  clients: count("clients that came at once"),
  rate: amount("accepts a second; 0: as fast as the loop can"),
  acceptQueue: count("connections in the accept queue right after the burst"),
  synQueue: count("requests in the SYN queue then"),
  outside: count("clients in neither queue"),
  seconds: amount("seconds until all were accepted, or until the watch ended"),
  accepted: count("connections accepted by then"),
  resends: count("SYNs that clients sent again (TCPSynRetrans)"),
  phantoms: count("clients that believe to be connected, and of whom the server knows nothing"),
  trying: count("clients that are still trying"),
  timedOut: count("clients that stopped trying by their own timer"),
  reset: count("clients that were refused or reset"),
  gaveUp: optional(amount("seconds that the first of those tried that ended with an error")),
  error: optional(text("how connect() ended for it")),
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

/** What became of those that were not accepted. */
function lost({ phantoms, trying, timedOut, gaveUp, error, cookies }: Lost): string {
  const ended = timedOut > 0 ? `${formatNumber(timedOut)} gave up${gaveUp === undefined ? "" : ` after ${gaveUp.toFixed(1)} s`}${error ? ` with ${error}` : ""}, ` : "";
  return `${ended}${formatNumber(trying)} still trying, ${formatNumber(phantoms)} believe to be connected and are not (tcp_syncookies = ${cookies})`;
}

/**
 * The text's loop of one accept a second, with both clocks turned up alike: as many accepts a second as the clients' time to give up is shorter
 * than by default. Without SYN cookies and with them.
 */
async function oneASecond(clients: number) {
  const run = (cookies: number) =>
    inLab({ wire: false, sysctls: { "net.ipv4.tcp_syncookies": cookies } }, async (lab): Promise<Haste & { outcome: BurstOutcome }> => {
      const haste = await hasten(lab);
      return { ...haste, outcome: await burst(lab, { clients, backlog, rate: Math.round(haste.usualPatience / haste.patience), seconds: 30 }) };
    });
  const [{ patience, usualPatience, outcome: without }, { outcome: withCookies }] = await Promise.all([run(0), run(1)]);
  return { scale: without.rate, patience, usualPatience, without, withCookies };
}

const fiveHundred = () => oneASecond(500);
const thousand = () => oneASecond(1000);

const bothClocks = {
  scale: amount("how many times as fast as in the text accept() was called"),
  patience: amount("seconds after which a client gave up"),
  usualPatience: amount("seconds after which it gives up by default"),
  without: group("without SYN cookies", outcome),
  withCookies: group("with SYN cookies", outcome),
};

type BothClocks = Haste & { scale: number; without: BurstOutcome; withCookies: BurstOutcome };

function requireOverflow({ clients, backlog }: { clients: number; backlog: number }): void {
  if (clients <= backlog + 1) throw new ArgumentError(`${many(clients, "client")} cannot overflow a backlog of ${backlog}.`, "Let more come than the backlog.");
}

function clocks({ scale, patience, usualPatience }: { scale: number; patience: number; usualPatience: number }): string {
  return `at ${scale} accepts a second and clients that give up after ${patience.toFixed(0)} s (${usualPatience.toFixed(0)} s by default)`;
}

/** Whether the clients' clock was turned up as far as the loop's. */
function sameHaste({ scale, patience, usualPatience }: BothClocks): boolean {
  return Math.abs(usualPatience / patience / scale - 1) < 0.1;
}

/** Measured at the text's own rate, too (Linux 6.18): 500 clients without cookies, 202 accepted in 201 s and none timed out; 1,000: 205 accepted, 460 timed out. */
const fewerResends = " (Sysctls change how many resends there are, not when: with more of them, as by default, fewer give up and more are phantoms.)";

export const evenDelivery = claim({
  number: 22,
  section: "Part 2",
  statement: "500 clients and one accept() a second: 128 queue, 372 wait in the kernel and are delivered one a second, in 372 s.",
  quote: "continues for 372 seconds to drain all connections",
  notebook: "05",
  evidence: bothClocks,
  experiment: (once) => once(fiveHundred),
  judge(seen) {
    const { scale, without, withCookies } = seen;
    requireOverflow(without);
    requireOverflow(withCookies);
    const run = ({ clients, accepted, seconds, resends, ...rest }: BurstOutcome) => `${accepted} of ${clients} were in after ${seconds.toFixed(1)} s, ${formatNumber(resends)} SYNs sent again, ${lost(rest)}`;
    const ideal = without.clients / scale;
    const measured = `${without.acceptQueue} queued, ${without.outside} in no queue; ${clocks(seen)} ${run(without)}; ${run(withCookies)}; evenly all would be in after ${ideal.toFixed(1)} s`;
    const kernel = "tcp_v4_conn_request()";
    if (without.outside === 0 && withCookies.outside === 0) return { verdict: "holds", measured, why: "All of them waited in the kernel.", kernel };
    const even = [without, withCookies].filter(({ accepted, clients, seconds }) => accepted === clients && seconds < 1.15 * ideal);
    if (even.length > 0) {
      const impatient = sameHaste(seen) ? "" : " Clients as impatient as the loop is fast were not tried.";
      return { verdict: "depends", measured, why: `All were delivered, as evenly as the text says. But the rest did not wait in the kernel: they came back by their own timers, often enough this time.${impatient}`, kernel };
    }
    const gaveUp = without.accepted < without.clients ? ` Without SYN cookies most of those give up, or their requests are given up in the SYN queue, before the line reaches them.${fewerResends}` : "";
    const phantoms = withCookies.phantoms > 0 ? " With SYN cookies more of them are answered than the accept queue has room for, and the surplus is connected in its own opinion only." : "";
    return { verdict: "false", measured, why: `The rest wait nowhere: their SYNs were dropped, and they come back by their own timers, all in the same moment.${gaveUp}${phantoms}`, kernel };
  },
});

export const resetAfter75 = claim({
  number: 52,
  section: "Part 5",
  statement: "One accept() a second and 1,000 clients: after 75 s, TCP's default timeout, connections expire and get RST.",
  quote: "TCP timeout (default 75s)",
  notebook: "05",
  evidence: bothClocks,
  experiment: (once) => once(thousand),
  judge(seen) {
    const { patience, usualPatience, without, withCookies } = seen;
    requireOverflow(without);
    requireOverflow(withCookies);
    const run = ({ clients, accepted, reset, ...rest }: BurstOutcome) => `${formatNumber(accepted)} of ${formatNumber(clients)} accepted, ${lost(rest)}, ${formatNumber(reset)} ended by RST`;
    const measured = `${clocks(seen)}: ${run(without)}; ${run(withCookies)}`;
    const kernel = "tcp_write_timeout()";
    if (without.timedOut + without.reset + withCookies.timedOut + withCookies.reset === 0) throw new ArgumentError("Nobody has timed out.", "Let clients meet a full queue until they give up.");
    if (without.reset + withCookies.reset > 0 && Math.abs(usualPatience - 75) < 10) return { verdict: "holds", measured, why: "As the text says.", kernel };
    const decides = without.gaveUp !== undefined && Math.abs(without.gaveUp - patience) < 0.25 * patience + 0.5 ? " tcp_syn_retries and tcp_syn_linear_timeouts decide." : "";
    const ends = without.timedOut > 0 && without.reset === 0 ? " The client ends it alone, and the server, which has kept nothing, sends no RST." : "";
    const phantoms = withCookies.timedOut === 0 && withCookies.phantoms > 0 ? " With SYN cookies nobody even times out: who is not accepted is connected in its own opinion." : "";
    return { verdict: "false", measured, why: `75 s is another system's number.${decides}${ends}${without.timedOut > 0 ? fewerResends : ""}${phantoms}`, kernel };
  },
});

const spikeClients = 5000;
const textSeconds = 5;

async function spikes() {
  return inLab({ wire: false, sysctls: { "net.core.somaxconn": 4096 } }, async (lab) => ({
    small: await burst(lab, { clients: spikeClients, backlog, rate: 1000, seconds: textSeconds }),
    large: await burst(lab, { clients: spikeClients, backlog: 4096, rate: 0, seconds: textSeconds }),
  }));
}

export const spikeWaits = claim({
  number: 49,
  section: "Part 5",
  statement: "5,000 clients at once with a backlog of 128: 4,872 of them wait in the SYN queue.",
  quote: "Remaining 4,872 → Wait in SYN Queue",
  notebook: "05",
  evidence: { small: group("the spike", outcome) },
  experiment: (once) => once(spikes),
  judge({ small }) {
    if (small.clients <= small.backlog + 1) throw new ArgumentError("That is no spike for this backlog.", "Let more come.");
    const measured = `of ${formatNumber(small.clients)}: ${small.acceptQueue} in the accept queue, ${small.synQueue} in the SYN queue, ${formatNumber(small.outside)} in neither${stated(small.cookies)}`;
    const kernel = "tcp_conn_request()";
    if (small.outside <= small.clients / 100) return { verdict: "holds", measured, why: "They are all in the kernel.", kernel };
    return { verdict: "false", measured, why: "The kernel keeps nothing of them: while the accept queue is full a SYN is dropped at the door.", kernel };
  },
});

export const spikeDrained = claim({
  number: 50,
  section: "Part 5",
  statement: "1,000 accepts a second drain a spike of 5,000 in 5 s, and none is lost.",
  quote: "All 5,000 connections accepted",
  notebook: "05",
  evidence: { small: group("the spike", outcome) },
  experiment: (once) => once(spikes),
  judge({ small }) {
    const { clients, rate, seconds, accepted, resends, ...rest } = small;
    if (rate === 0 || (seconds < (0.9 * clients) / rate && rest.trying > 0)) throw new ArgumentError("The watch was too short to decide.", `At ${rate} accepts a second ${formatNumber(clients)} take ${clients / rate} s.`);
    const measured = `at ${formatNumber(rate)} accepts a second ${formatNumber(accepted)} of ${formatNumber(clients)} were in after ${seconds.toFixed(1)} s; ${lost(rest)}; ${formatNumber(resends)} SYNs sent again`;
    const kernel = "tcp_retransmit_timer()";
    if (accepted === clients) return { verdict: "holds", measured, why: "All were accepted in time.", kernel };
    return { verdict: "false", measured, why: "The loop is fast enough and has nothing to do: the clients sleep. Each round of resends brings in as many as the queue holds, later rounds are ever farther apart, and a cookie makes phantoms of some.", kernel };
  },
});

export const backlogSolves = claim({
  number: 51,
  section: "Part 5",
  statement: "A backlog of 4096 and a fast accept loop solve the spike of 5,000.",
  quote: "err = listenSocket(fd, 4096)",
  notebook: "05",
  evidence: { large: group("the spike with a large backlog and a loop as fast as it can", outcome), small: group("the spike with a small one", outcome) },
  experiment: (once) => once(spikes),
  judge({ large, small }) {
    const measured = `backlog ${large.backlog}: ${formatNumber(large.accepted)} of ${formatNumber(large.clients)} in ${large.seconds.toFixed(2)} s, ${formatNumber(large.outside)} met a full queue; backlog ${small.backlog}: ${formatNumber(small.accepted)} in ${small.seconds.toFixed(2)} s${stated(small.cookies)}`;
    const kernel = "__sys_listen()";
    if (large.accepted <= small.accepted) return { verdict: "false", measured, why: "It was no better.", kernel };
    if (large.accepted === large.clients) {
      return { verdict: "holds", measured, why: large.outside > 0 ? "Largely: min(4096, somaxconn) + 1 fit at once, the others come in at their first resend, a second later." : "All found room at once.", kernel };
    }
    return { verdict: "depends", measured, why: "Better, and not yet enough: somaxconn may have cut it down.", kernel };
  },
});

const workload = { clients: 300, rate: 300, service: 10 };

/** ms that are given to the last ones to be served */
const patience = 8000;

/** One handler that takes its time, in the loop and handed off. Who is not served while we watch counts as waiting for ever. */
async function serve(lab: Lab, server: Server) {
  const listener = await lab.listen({ backlog });
  const running = server(listener, async (connection) => {
    await new Promise((resolve) => setTimeout(resolve, workload.service));
    connection.close();
  });
  const recording = await lab.record(listener, { live: false, counters: [] });
  const { clients, rate } = workload;
  const start = native.now();
  const crowd = await lab.connect(listener, { clients, schedule: constant(clients, rate), quiet: 100 });
  await crowd.until(({ closedByServer }) => closedByServer === clients, { timeout: patience });
  const watched = (native.now() - start) / 1000;
  const trace = await recording.stop();
  const waits = crowd.served().map((ms) => (Number.isNaN(ms) ? Infinity : ms)).sort();
  const seen = {
    clients,
    rate,
    served: waits.filter(Number.isFinite).length,
    median: waits[waits.length >> 1],
    watched,
    peak: trace.summary().get("acceptQueue").max,
    room: listener.capacity,
    cookies: await lab.sysctl.get("net.ipv4.tcp_syncookies"),
  };
  await crowd.close();
  await listener.close();
  await running;
  return seen;
}

async function twoLoops() {
  return inLab({ wire: false }, async (lab) => ({ slow: await serve(lab, blocking), fast: await serve(lab, handOff) }));
}

const served = {
  clients: count("clients that came"),
  rate: amount("clients a second"),
  served: count("clients that were served in the time of the watch"),
  median: amount("ms that half of all who came waited at most, from when they came until they were served; Infinity: not in the time of the watch"),
  watched: amount("seconds of the watch"),
  peak: count("longest accept queue"),
  room: count("connections that have room in it"),
  cookies: optional(count("net.ipv4.tcp_syncookies")),
};

function servedWords({ clients, rate, served, median, watched, peak, room, cookies }: { clients: number; rate: number; served: number; median: number; watched: number; peak: number; room: number; cookies?: number }): string {
  const half = median === Infinity ? "half of them not at all" : `median of all ${formatTime(median)}`;
  return `${served} of ${clients} served within ${watched.toFixed(1)} s, ${rate} a second came, ${half}, queue at most ${peak} of ${room}${stated(cookies)}`;
}

export const fastLoop = claim({
  number: 41,
  section: "Part 4",
  statement: "A fast accept loop keeps the accept queue near empty; one that blocks fills it.",
  quote: "Accept Queue drains quickly",
  notebook: "05",
  evidence: { slow: group("the handler in the loop", served), fast: group("handed off at once", served) },
  experiment: (once) => once(twoLoops),
  judge({ slow, fast }) {
    if (slow.clients === 0 || fast.clients === 0) throw new ArgumentError("Both loops need clients.", "Let some come.");
    const measured = `blocking: ${servedWords(slow)}; hand-off: ${servedWords(fast)}`;
    const kernel = "inet_csk_accept()";
    if (fast.peak * 2 < fast.room && slow.peak > 2 * fast.peak) return { verdict: "holds", measured, why: "The queue grows by the difference between arrivals and accepts; a loop that only accepts keeps up with thousands a second.", kernel };
    return { verdict: "false", measured, why: "The queues do not differ in that way.", kernel };
  },
});

export const handOffSolves = claim({
  number: 53,
  section: "Part 5",
  statement: "Handing each connection off at once solves slow accept processing.",
  quote: "Immediate handoff",
  notebook: "05",
  evidence: { slow: group("the handler in the loop", served), fast: group("handed off at once", served) },
  experiment: (once) => once(twoLoops),
  judge({ slow, fast }) {
    if (slow.served === slow.clients && slow.median <= 2 * fast.median) throw new ArgumentError("The blocking loop has kept up: there was nothing to solve.", "Let clients come faster than the handler is.");
    const measured = `blocking: ${servedWords(slow)}; hand-off: ${servedWords(fast)}`;
    const kernel = "inet_csk_accept()";
    if (fast.served === fast.clients) return { verdict: "holds", measured, why: "As long as the handlers wait for something and not for the processor: then the work merely moves from the queue into the program.", kernel };
    return { verdict: fast.served > slow.served ? "depends" : "false", measured, why: "Not all were served.", kernel };
  },
});


/** Claims 22, 41, 49 to 51 and 53: accept loops that are too slow, and what a longer backlog and an earlier hand-off change. */
import { ArgumentError } from "../errors";
import type { Lab } from "../front-door";
import { constant } from "../listener/arrivals";
import { native } from "../native";
import { blocking, handOff, Server } from "../server/accept-loops";
import { formatNumber } from "../trace/quantity";
import { claim } from "./claim";
import { amount, count, group } from "./evidence";
import { inLab, msUntil } from "./experiment";
import { many } from "./wording";

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
    phantoms: Math.max(0, counts.established - listener.acceptQueue),
    trying: counts.synSent,
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
  cookies: count("net.ipv4.tcp_syncookies"),
};

/** What became of those that were not accepted. */
function lost({ phantoms, trying, cookies }: { phantoms: number; trying: number; cookies: number }): string {
  return `${formatNumber(trying)} still trying, ${formatNumber(phantoms)} believe to be connected and are not (tcp_syncookies = ${cookies})`;
}

/** The text's example, its clock fifty times as fast: fifty accepts a second instead of one. */
const scale = 50;

async function oneASecond() {
  return inLab({ wire: false }, async (lab) => ({ ...(await burst(lab, { clients: 500, backlog, rate: scale, seconds: 30 })), scale }));
}

export const evenDelivery = claim({
  number: 22,
  section: "Part 2",
  statement: "500 clients and one accept() a second: 128 queue, 372 wait in the kernel and are delivered one a second, in 372 s.",
  quote: "continues for 372 seconds to drain all connections",
  notebook: "05",
  evidence: { ...outcome, scale: amount("how many times as fast as in the text accept() was called") },
  experiment: (once) => once(oneASecond),
  judge({ backlog, clients, acceptQueue, outside, seconds, accepted, resends, scale, ...rest }) {
    if (clients <= backlog + 1) throw new ArgumentError(`${many(clients, "client")} cannot overflow a backlog of ${backlog}.`, "Let more come than the backlog.");
    const ideal = clients / scale;
    const measured = `${acceptQueue} queued, ${outside} in no queue; at ${scale} accepts a second ${accepted} of ${clients} were in after ${seconds.toFixed(1)} s (evenly it would take ${ideal.toFixed(1)} s), ${formatNumber(resends)} SYNs sent again, ${lost(rest)}`;
    const kernel = "tcp_v4_conn_request()";
    if (outside === 0) return { verdict: "holds", measured, why: "All of them waited in the kernel.", kernel };
    if (accepted === clients && seconds < 1.15 * ideal) return { verdict: "depends", measured, why: "All were delivered, as evenly as the text says. But the rest did not wait in the kernel: they came back by their own timers, often enough this time.", kernel };
    const phantoms = rest.phantoms > 0 ? " Then SYN cookies answer more of them than the accept queue has room for, and the surplus is connected in its own opinion only." : "";
    return { verdict: "false", measured, why: `The rest wait nowhere: their SYNs were dropped, and they come back by their own timers, all in the same moment.${phantoms}`, kernel };
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
    const measured = `of ${formatNumber(small.clients)}: ${small.acceptQueue} in the accept queue, ${small.synQueue} in the SYN queue, ${formatNumber(small.outside)} in neither`;
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
    const measured = `backlog ${large.backlog}: ${formatNumber(large.accepted)} of ${formatNumber(large.clients)} in ${large.seconds.toFixed(2)} s, ${formatNumber(large.outside)} met a full queue; backlog ${small.backlog}: ${formatNumber(small.accepted)} in ${small.seconds.toFixed(2)} s`;
    const kernel = "__sys_listen()";
    if (large.accepted <= small.accepted) return { verdict: "false", measured, why: "It was no better.", kernel };
    if (large.accepted === large.clients) {
      return { verdict: "holds", measured, why: large.outside > 0 ? "Largely: min(4096, somaxconn) + 1 fit at once, the others come in at their first resend, a second later." : "All found room at once.", kernel };
    }
    return { verdict: "depends", measured, why: "Better, and not yet enough: somaxconn may have cut it down.", kernel };
  },
});

const workload = { clients: 300, rate: 300, service: 10 };

/** One handler that takes its time, in the loop and handed off. */
async function serve(lab: Lab, server: Server) {
  const listener = await lab.listen({ backlog });
  const running = server(listener, async (connection) => {
    await new Promise((resolve) => setTimeout(resolve, workload.service));
    connection.close();
  });
  const recording = await lab.record(listener, { live: false, counters: [] });
  const { clients, rate } = workload;
  const crowd = await lab.connect(listener, { clients, schedule: constant(clients, rate), quiet: 100 });
  await crowd.until(({ closedByServer }) => closedByServer === clients, { timeout: 500 });
  const trace = await recording.stop();
  const served = crowd.served().filter((ms) => !Number.isNaN(ms)).sort();
  const seen = { clients, rate, served: served.length, median: served[served.length >> 1] ?? Infinity, peak: trace.summary().get("acceptQueue").max, room: listener.capacity };
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
  median: amount("ms that half of those waited at most, from when they came until they were served"),
  peak: count("longest accept queue"),
  room: count("connections that have room in it"),
};

function servedWords({ clients, rate, served, median, peak, room }: { clients: number; rate: number; served: number; median: number; peak: number; room: number }): string {
  return `${served} of ${clients} served at ${rate} a second, median ${median.toFixed(0)} ms, queue at most ${peak} of ${room}`;
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


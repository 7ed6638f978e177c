/** Claims 41 and 53: a handler that takes its time, in the accept loop and handed off. */
import { ArgumentError } from "../errors";
import type { Lab } from "../front-door";
import { constant } from "../listener/arrivals";
import { native } from "../native";
import { blocking, handOff, Server } from "../server/accept-loops";
import { formatTime } from "../wording/number";
import { claim } from "./claim";
import { amount, count, group, optional } from "./evidence";
import { inLab } from "./experiment";
import { withCookies } from "./cookies-setting";

const backlog = 128;
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
  const waits = crowd
    .served()
    .map((ms) => (Number.isNaN(ms) ? Infinity : ms))
    .sort();
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
  median: amount(
    "ms that half of all who came waited at most, from when they came until they were served; Infinity: not in the time of the watch",
  ),
  watched: amount("seconds of the watch"),
  peak: count("longest accept queue"),
  room: count("connections that have room in it"),
  cookies: optional(count("net.ipv4.tcp_syncookies")),
};

function servedWords({
  clients,
  rate,
  served,
  median,
  watched,
  peak,
  room,
  cookies,
}: {
  clients: number;
  rate: number;
  served: number;
  median: number;
  watched: number;
  peak: number;
  room: number;
  cookies?: number;
}): string {
  const half = median === Infinity ? "half of them not at all" : `median of all ${formatTime(median)}`;
  return `${served} of ${clients} served within ${watched.toFixed(1)} s, ${rate} a second came, ${half}, queue at most ${peak} of ${room}${withCookies(cookies)}`;
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
    if (fast.peak * 2 < fast.room && slow.peak > 2 * fast.peak)
      return {
        verdict: "holds",
        measured,
        why: "The queue grows by the difference between arrivals and accepts; a loop that only accepts keeps up with thousands a second.",
        kernel,
      };
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
    if (slow.served === slow.clients && slow.median <= 2 * fast.median)
      throw new ArgumentError(
        "The blocking loop has kept up: there was nothing to solve.",
        "Let clients come faster than the handler is.",
      );
    const measured = `blocking: ${servedWords(slow)}; hand-off: ${servedWords(fast)}`;
    const kernel = "inet_csk_accept()";
    if (fast.served === fast.clients)
      return {
        verdict: "holds",
        measured,
        why: "As long as the handlers wait for something and not for the processor: then the work merely moves from the queue into the program.",
        kernel,
      };
    return { verdict: fast.served > slow.served ? "depends" : "false", measured, why: "Not all were served.", kernel };
  },
});

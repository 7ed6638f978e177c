/** As many ESTABLISHED connections in one accept queue as the memory of this machine allows, up to a million. */
import { setTimeout as wait } from "node:timers/promises";
import { inLab } from "../claims/experiment";
import type { Lab } from "../front-door";
import { kernelMemory } from "../lab/memory";
import { refusalLine } from "../lab/sysctls";
import { native } from "../native";
import { formatCount } from "../wording/number";
import type { Demo } from "./demo";
import type { Panel } from "./panel";
import type { Stage } from "./stage";

/** connections whose memory is measured before the plan is made */
const sample = 20_000;
/** share of the free memory that may be used */
const share = 0.6;
/** bytes per connection on top of the measured ones: the connection table, and what the ghosts themselves need */
const besides = 400;
/** bytes per connection for the plan, if the sample was too small to measure */
const assumed = 3000;
/** seconds within which connections may come */
const patience = 180;
/** ms without an answer to a ghost until no more is expected: a lost SYN-ACK is retransmitted after 1 s and after 3 s (tcp_timeout_init()) */
const lastChance = 3500;
const million = 1_000_000;

const mebibytes = (bytes: number) => bytes / 2 ** 20;

/** Bytes that a connection in the accept queue takes on this kernel. */
async function bytesPerConnection(connections: number): Promise<number> {
  return inLab({ hashBuckets: 16_384 }, async (lab) => {
    await lab.sysctl.trySet({ "net.core.somaxconn": 65_535 });
    const listener = await lab.listen({ backlog: 65_535 });
    const before = kernelMemory().slab;
    const count = Math.min(connections, listener.capacity);
    await (await lab.ghosts(listener, { count })).finished();
    await wait(100);
    return Math.max(0, (kernelMemory().slab - before) / Math.max(1, listener.acceptQueue));
  });
}

/** The longest accept queue that a Lab can have here, and the sentence about a kernel that sets a limit to it ("" if none does). */
async function longestQueue(): Promise<{ places: number; because: string }> {
  return inLab({ wire: false }, async (lab) => {
    const refused = await lab.sysctl.trySet({ "net.core.somaxconn": 2 * million });
    if (refused.length === 0) return { places: Infinity, because: "" };
    return { places: await lab.sysctl.get("net.core.somaxconn"), because: refusalLine(refused).replace(/\.$/, "") };
  });
}

/**
 * How many of the wanted connections this machine can hold, and why not all of them ("" if all).
 * @param bytesEach as measured
 * @param available bytes
 * @param queue the longest accept queue that the kernel allows, and why it is no longer
 */
export function planned(
  wanted: number,
  bytesEach: number,
  available: number,
  queue: { places: number; because: string } = { places: Infinity, because: "" },
): { total: number; because: string } {
  if (queue.places < wanted) {
    const inside = planned(queue.places, bytesEach, available);
    return { total: inside.total, because: inside.because || queue.because };
  }
  const affordable = Math.max(1, Math.floor((share * available) / (bytesEach + besides)));
  if (affordable >= wanted) return { total: wanted, because: "" };
  return {
    total: affordable,
    because: `${formatCount(wanted)} would take more than ${100 * share} % of the free memory`,
  };
}

/** What is known while the demo goes on. */
interface State {
  total: number;
  queued: number;
  /** connections per second: of about the last second; at the end, of the whole run */
  rate: number;
  fastest: number;
  bytesEach: number;
  /** bytes of slab that were added */
  used: number;
  /** bytes that were free before */
  readonly available: number;
}

function panelOf({ total, queued, rate, fastest, bytesEach, used, available }: State): Panel {
  return {
    title: `million: ${formatCount(total)} connections over one listener`,
    meters: [
      { label: "CONNECTIONS", note: "in one accept queue", value: queued, of: total, colour: "acceptQueue" },
      { label: "PER SECOND", note: "handshakes", value: rate, of: fastest, colour: "accepted" },
      {
        label: "BYTES EACH",
        note: "of kernel memory",
        value: bytesEach,
        of: Math.max(4096, bytesEach),
        colour: "cookies",
      },
      {
        label: "MiB IN ALL",
        note: `of ${formatCount(mebibytes(available))} that were free`,
        value: mebibytes(used),
        of: mebibytes(available),
        colour: "other",
      },
    ],
  };
}

/** Opens the planned connections within `seconds` and takes the figures down. @returns seconds until the last one was queued, and the most that were queued */
async function fillQueue(
  stage: Stage,
  lab: Lab,
  state: State,
  seconds: number,
): Promise<{ took: number; peak: number }> {
  const { total } = state;
  const listener = await lab.listen({ port: 8080, backlog: 2 * total });
  const before = kernelMemory();
  const start = native.now();
  let lastGrowth = start;
  const ghosts = await lab.ghosts(listener, { count: total });
  const past: { time: number; queued: number }[] = [];
  const measure = (): Panel => {
    const time = native.now();
    const queued = listener.acceptQueue;
    if (queued > state.queued) lastGrowth = time;
    past.push({ time, queued });
    if (past.length > 12) past.shift();
    const oldest = past.at(0);
    state.queued = queued;
    state.used = Math.max(0, kernelMemory().slab - before.slab);
    state.rate = oldest && time > oldest.time ? (1000 * (queued - oldest.queued)) / (time - oldest.time) : 0;
    state.fastest = Math.max(state.fastest, state.rate);
    if (queued > 0) state.bytesEach = state.used / queued;
    return panelOf(state);
  };
  const sending: { over: boolean; error?: unknown } = { over: false };
  void ghosts.finished({ quiet: lastChance }).then(
    () => (sending.over = true),
    (error: unknown) => Object.assign(sending, { over: true, error }), // the link has failed, or they were closed
  );
  await stage.watch(measure, { ms: 1000 * seconds, until: () => state.queued >= total || sending.over });
  if (sending.error !== undefined) throw sending.error as Error;
  // the final ACKs are still on their way
  await stage.watch(measure, { ms: lastChance, until: () => state.queued >= total });
  measure();
  const took = (lastGrowth - start) / 1000;
  const peak = state.queued;
  state.rate = peak / took;
  stage.say(`${formatCount(peak)} connections over one listener after ${took.toFixed(1)} s.`);
  await stage.hold(() => panelOf(state), 2500);
  await stage.curtain("Close them all?", () => panelOf(state));
  stage.say("Closing everything. The kernel needs some seconds to free the memory.");
  await ghosts.close();
  return { took, peak };
}

const kernel = "inet_ehash_insert() and inet_csk_reqsk_queue_add()";

/** `one-listener demo million`: ghost clients in one accept queue, planned by a measurement of 20,000. */
export const manyConnections: Demo = {
  name: "million",
  title: "A million connections over one listener",
  sentence:
    "One listening socket, one port, and as many ESTABLISHED connections as the memory of this machine allows, up to a million.",
  takes: 40,
  seconds: patience,
  notebook: "08 · Memory, and a million",
  count: million,
  async run(stage, { seconds, count: wanted }) {
    const { available } = kernelMemory();
    const state: State = { total: wanted, queued: 0, rate: 0, fastest: 1, bytesEach: 0, used: 0, available };
    const look = () => panelOf(state);

    const first = Math.min(sample, wanted);
    stage.say(
      `First we measure the memory of ${formatCount(first)} connections, to plan how many this machine can hold.`,
    );
    const measured = (await stage.during(bytesPerConnection(first), look)) || assumed;
    const { total, because } = planned(wanted, measured, available, await longestQueue());
    state.total = total;
    const plan = `${formatCount(total)} connections × ${formatCount(measured)} bytes = ${formatCount(mebibytes(total * measured))} MiB of the ${formatCount(mebibytes(available))} MiB that are free`;
    stage.say(`${plan}${because ? `. Not ${formatCount(wanted)}: ${because}` : ""}.`);
    await stage.hold(look, 2500);
    await stage.curtain(`Open ${formatCount(total)} connections?`, look);

    stage.renew();
    stage.say(`${plan}. Connecting.`);
    const hashBuckets = 2 ** Math.ceil(Math.log2(Math.max(1024, total)));
    const { took, peak } = await inLab({ hashBuckets }, async (lab) => {
      await lab.sysctl.trySet({ "net.core.somaxconn": 2 * total });
      return fillQueue(stage, lab, state, seconds);
    });
    const closing = native.now();
    const after = () => kernelMemory().available;
    await stage.watch(look, { ms: 10_000, until: () => after() >= 0.97 * available && native.now() - closing > 300 });

    const { bytesEach, used } = state;
    const numbers = {
      wanted,
      planned: total,
      because,
      connections: peak,
      seconds: took,
      perSecond: peak / took,
      bytesEach,
      bytes: used,
      availableBefore: available,
      availableAfter: after(),
    };
    const result = [
      `${formatCount(peak)} connections were ESTABLISHED in the accept queue of one listening socket on one port after ${took.toFixed(1)} s: ${formatCount(peak / took)} handshakes per second.${because ? ` Not ${formatCount(wanted)}: ${because}.` : ""}`,
      `Each took ${formatCount(bytesEach)} bytes of kernel memory, ${formatCount(mebibytes(used))} MiB in all. ${formatCount(mebibytes(after()))} MiB are free now; ${formatCount(mebibytes(available))} MiB were free before.`,
    ];
    const outcome = { numbers, result, kernel };
    stage.conclude(look(), outcome, manyConnections.notebook);
    return outcome;
  },
};

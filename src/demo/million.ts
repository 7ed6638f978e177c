/** As many established connections in one accept queue as this machine's memory allows, up to a million. */
import { setTimeout as wait } from "node:timers/promises";
import { inLab } from "../claims/experiment";
import { Lab } from "../front-door";
import { kernelMemory } from "../lab/memory";
import { native } from "../native";
import { formatCount } from "../wording/number";
import type { Demo } from "./demo";
import type { Panel } from "./panel";

/** connections that are weighed before the plan is made */
const sample = 20_000;
/** of the memory that is free, so much may be used */
const share = 0.6;
/** bytes a connection, on top of what was weighed: the table of connections, what the ghosts themselves need */
const besides = 400;
/** bytes a connection for the plan, if the sample was too small to weigh; the real weight is measured */
const assumed = 3000;
/** seconds after which no more are waited for */
const patience = 180;
const million = 1_000_000;

const mebibytes = (bytes: number) => bytes / 2 ** 20;

/** bytes that a connection in the accept queue takes on this kernel */
async function weigh(connections: number): Promise<number> {
  return inLab({ hashBuckets: 16_384, sysctls: { "net.core.somaxconn": 65_535 } }, async (lab) => {
    const listener = await lab.listen({ backlog: 65_535 });
    const before = kernelMemory().slab;
    await (await lab.ghosts(listener, { count: connections })).finished();
    await wait(100);
    return Math.max(0, (kernelMemory().slab - before) / Math.max(1, listener.acceptQueue));
  });
}

/** How many of the connections that are wanted this machine can hold, and why not all of them: "" if all. @param bytesEach as weighed @param available bytes */
export function planned(wanted: number, bytesEach: number, available: number): { total: number; because: string } {
  const affordable = Math.max(1, Math.floor((share * available) / (bytesEach + besides)));
  if (affordable >= wanted) return { total: wanted, because: "" };
  return {
    total: affordable,
    because: `${formatCount(wanted)} would take more than ${100 * share} % of the memory that is free`,
  };
}

const kernel = "inet_ehash_insert() and inet_csk_reqsk_queue_add()";

export const manyConnections: Demo = {
  name: "million",
  title: "A million connections over one listener",
  sentence:
    "One listening socket, one port, and as many established connections as this machine's memory allows, up to a million.",
  takes: 40,
  seconds: patience,
  notebook: "08 · Memory, and a million",
  count: million,
  async run(stage, { seconds, count: wanted }) {
    let total = wanted;
    let queued = 0;
    let rate = 0;
    let fastest = 1;
    let bytesEach = 0;
    let used = 0;
    const { available } = kernelMemory();
    const look = (): Panel => ({
      title: `million: ${formatCount(total)} connections over one listener`,
      meters: [
        {
          label: "CONNECTIONS",
          note: "ESTABLISHED, in one accept queue",
          value: queued,
          of: total,
          colour: "acceptQueue",
        },
        { label: "A SECOND", note: "handshakes", value: rate, of: fastest, colour: "accepted" },
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
    });

    stage.say(
      `First ${formatCount(Math.min(sample, wanted))} connections are weighed, to plan what this machine can hold.`,
    );
    const weighed = (await stage.during(weigh(Math.min(sample, wanted)), look)) || assumed;
    const { total: possible, because } = planned(wanted, weighed, available);
    total = possible;
    const plan = `${formatCount(total)} connections × ${formatCount(weighed)} bytes = ${formatCount(mebibytes(total * weighed))} MiB of the ${formatCount(mebibytes(available))} MiB that are free`;
    stage.say(`${plan}${because ? `; not ${formatCount(wanted)}: ${because}` : ""}.`);
    await stage.hold(look, 2500);
    await stage.curtain(`${formatCount(total)} connections?`, look);

    const buckets = 2 ** Math.ceil(Math.log2(Math.max(1024, total)));
    const lab = await Lab.open({ hashBuckets: buckets, sysctls: { "net.core.somaxconn": 2 * total } });
    let took = 0;
    let peak = 0;
    try {
      const listener = await lab.listen({ port: 8080, backlog: 2 * total });
      const before = kernelMemory();
      const start = native.now();
      const ghosts = await lab.ghosts(listener, { count: total });
      const past: { time: number; queued: number }[] = [];
      const measure = () => {
        const now = native.now();
        queued = listener.acceptQueue;
        used = Math.max(0, kernelMemory().slab - before.slab);
        past.push({ time: now, queued });
        if (past.length > 12) past.shift();
        rate = now > past[0].time ? (1000 * (queued - past[0].queued)) / (now - past[0].time) : 0;
        fastest = Math.max(fastest, rate);
        if (queued > 0) bytesEach = used / queued;
        return look();
      };
      stage.renew();
      stage.say(`${plan}. Go.`);
      await stage.during(ghosts.finished({ quiet: 200 }), measure, 1000 * seconds);
      await stage.watch(measure, { ms: 500, until: () => queued >= total }); // the last ACKs are still on their way
      took = (native.now() - start) / 1000;
      measure();
      rate = queued / took;
      peak = queued;
      stage.say(`${formatCount(queued)} connections over one listener after ${took.toFixed(1)} s.`);
      await stage.hold(look, 2500);
      await stage.curtain("Free all of it?", look);
      stage.say("Everything is closed and freed; that takes the kernel some seconds.");
      ghosts.close();
    } finally {
      await lab.close();
    }
    const closing = native.now();
    const after = () => kernelMemory().available;
    await stage.watch(look, { ms: 10_000, until: () => after() >= 0.97 * available && native.now() - closing > 300 });

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
      `${formatCount(peak)} connections, all ESTABLISHED in the accept queue of one listening socket, one port, in ${took.toFixed(1)} s: ${formatCount(peak / took)} handshakes a second.${because ? ` Not ${formatCount(wanted)}: ${because}.` : ""}`,
      `Each took ${formatCount(bytesEach)} bytes of kernel memory, ${formatCount(mebibytes(used))} MiB in all; ${formatCount(mebibytes(after()))} MiB are free again, of ${formatCount(mebibytes(available))} before.`,
    ];
    const outcome = { numbers, result, kernel };
    stage.conclude(look(), outcome, manyConnections.notebook);
    return outcome;
  },
};

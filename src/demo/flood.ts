/** Honest clients during a SYN flood: without SYN cookies, and with. */
import { inLab } from "../claims/experiment";
import { countOf, formatCount, formatTime } from "../wording/number";
import type { Lab } from "../front-door";
import { clientStates } from "./client-states";
import type { Demo } from "./demo";
import type { Panel } from "./panel";
import type { Stage } from "./stage";

const clients = 200;
const backlog = 128;
const rtt = 20;
const floodRate = 40_000;
/** ms that the flood has to itself */
const head = 200;

interface Flooded {
  cookies: number;
  syns: number;
  /** a second, as sent */
  rate: number;
  clients: number;
  /** honest clients that the application has got */
  connected: number;
  /** ms from connect() to connected, median; null if nobody is */
  median: number | null;
  /** requests in the SYN queue, the most and, while the honest clients came, the least that were seen */
  synQueue: number;
  synQueueLeast: number;
  cookiesSent: number;
  drops: number;
}

async function underFlood(stage: Stage, lab: Lab, cookies: number, seconds: number): Promise<Flooded> {
  await lab.sysctl.set({ "net.ipv4.tcp_syncookies": cookies });
  const listener = await lab.listen({ backlog });
  const loop = listener.acceptLoop();
  const { capacity } = listener;
  const syns = Math.round(floodRate * seconds);
  const before = lab.counters();
  const without = cookies === 0 ? "without SYN cookies" : "with SYN cookies";
  stage.renew();
  stage.say(
    `${formatCount(syns)} SYNs from addresses that never answer, ${without}; ${clients} honest clients meanwhile.`,
  );
  const flood = await lab.flood(listener, { count: syns, rate: floodRate });
  let synQueue = 0;
  let synQueueLeast = Infinity;
  const look = (): Panel => {
    const { idle } = clientStates(listener);
    const came = listener.bursts.size > 0 ? clients - idle : 0;
    const requests = listener.synQueue;
    synQueue = Math.max(synQueue, requests);
    if (came > 0) synQueueLeast = Math.min(synQueueLeast, requests);
    return {
      title: `flood: ${clients} honest clients under a SYN flood, ${without}`,
      meters: [
        {
          label: "HONEST CLIENTS IN",
          note: `of ${formatCount(came)} that came`,
          value: loop.accepted,
          of: clients,
          colour: "accepted",
        },
        {
          label: "SYN QUEUE",
          note: `room for ${formatCount(capacity)}${requests >= capacity ? ", FULL" : ""}`,
          value: requests,
          of: capacity,
          colour: "synQueue",
        },
        {
          label: "SYNs OF THE FLOOD",
          note: `${formatCount(flood.rate)} a second`,
          value: flood.counts().sent,
          of: syns,
          colour: "drops",
        },
        {
          label: "SYN COOKIES SENT",
          note: `tcp_syncookies = ${cookies}`,
          value: lab.counters().since(before).get("SyncookiesSent"),
          of: syns,
          colour: "cookies",
        },
      ],
    };
  };
  await stage.watch(look, { ms: head });
  const window = Math.max(0.3, 0.9 * seconds - head / 1000);
  const crowd = await stage.during(
    lab.connect(listener, { clients, rate: clients / window, kind: "mirror", rtt, quiet: 300 }),
    look,
  );
  await stage.during(flood.finished(), look);
  const latencies = crowd.connected();
  const moved = lab.counters().since(before);
  const flooded: Flooded = {
    cookies,
    syns,
    rate: flood.rate,
    clients,
    connected: loop.accepted,
    synQueue,
    synQueueLeast: Math.min(synQueue, synQueueLeast),
    // clients of whom the server has not heard are connected in their own opinion only
    median: loop.accepted > 0 && latencies.length > 0 ? latencies[Math.floor(latencies.length / 2)] : null,
    cookiesSent: moved.get("SyncookiesSent"),
    drops: moved.get("ListenDrops"),
  };
  stage.say(
    `${without}: ${flooded.connected} of ${clients} honest clients got in${flooded.median === null ? "" : `, half of them within ${formatTime(flooded.median)}`}.`,
  );
  await stage.hold(look, 500 * seconds);
  await stage.curtain(cookies === 0 ? "The same flood with SYN cookies?" : "Side by side?", look);
  await crowd.close();
  await flood.reset();
  flood.close();
  await loop.close();
  await listener.close();
  return flooded;
}

function sideBySide(floods: readonly Flooded[]): Panel {
  return {
    title: `flood: ${clients} honest clients under a SYN flood`,
    meters: floods.map(({ cookies, connected, median }) => ({
      label: cookies === 0 ? "WITHOUT COOKIES" : "WITH COOKIES",
      note: `honest clients in${median === null ? "" : `; median ${formatTime(median)}`}`,
      value: connected,
      of: clients,
      colour: cookies === 0 ? "drops" : "accepted",
    })),
  };
}

const kernel = "tcp_conn_request(), and cookie_v4_check() with cookies";

export const flood: Demo = {
  name: "flood",
  title: "A SYN flood, and SYN cookies",
  sentence: `${clients} honest clients try to connect while SYNs from false addresses fill the SYN queue: first without SYN cookies, then with.`,
  takes: 12,
  seconds: 3,
  notebook: "07 · SYN flood and SYN cookies",
  run: (stage, { seconds }) =>
    inLab({ sysctls: { "net.core.somaxconn": 4096, "net.ipv4.tcp_max_syn_backlog": 4096 } }, async (lab) => {
      const without = await underFlood(stage, lab, 0, seconds);
      const on = await underFlood(stage, lab, 1, seconds);
      const median = (ms: number | null) => (ms === null ? "" : ` (median ${formatTime(ms)}, round trip ${rtt} ms)`);
      const result = [
        `Under ${formatCount(without.syns)} SYNs, ${formatCount(without.rate)} a second, ${without.connected} of ${countOf(clients, "honest client")} got in without SYN cookies${median(without.median)}: the SYN queue held ${without.synQueue}, never fewer than ${without.synQueueLeast} while they tried, and ${formatCount(without.drops)} SYNs were dropped.`,
        `With cookies ${on.connected} got in${median(on.median)}: the queue held ${on.synQueue}, but ${formatCount(on.cookiesSent)} SYNs were answered by a cookie, for which nothing is stored.`,
      ];
      stage.renew();
      const outcome = { numbers: { without, with: on }, result, kernel };
      stage.conclude(sideBySide([without, on]), outcome, flood.notebook);
      return outcome;
    }),
};

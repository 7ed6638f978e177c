/** Honest clients during a SYN flood, without SYN cookies and with them. */
import { inLab } from "../claims/experiment";
import { countOf, formatCount, formatTime } from "../wording/number";
import type { Lab } from "../front-door";
import type { Counters } from "../lab/counters";
import type { AcceptLoop } from "../listener/accept-loop";
import type { Listener } from "../listener/listener";
import type { Ghosts } from "../wire/ghosts";
import { clientStates } from "./client-states";
import type { Demo } from "./demo";
import type { Panel } from "./panel";
import type { Stage } from "./stage";

const clients = 200;
const backlog = 128;
const rtt = 20;
const floodRate = 40_000;
/** ms of the flood before the first honest client */
const head = 200;

interface Flooded {
  cookies: number;
  syns: number;
  /** SYNs per second, as sent */
  rate: number;
  clients: number;
  /** honest clients that the application has accepted */
  connected: number;
  /** ms from connect() to ESTABLISHED, median; null if no client is */
  median: number | null;
  /** requests in the SYN queue: the greatest number, and the least one while the honest clients connected */
  synQueue: number;
  synQueueLeast: number;
  cookiesSent: number;
  drops: number;
}

const wordsFor = (cookies: number) => (cookies === 0 ? "without SYN cookies" : "with SYN cookies");

/** What is seen during one flood: the panel, and the extremes of the SYN queue. */
class FloodView {
  synQueue = 0;
  synQueueLeast = Infinity;

  constructor(
    private readonly seen: {
      lab: Lab;
      listener: Listener;
      loop: AcceptLoop;
      flood: Ghosts;
      syns: number;
      cookies: number;
      before: Counters;
    },
  ) {}

  look(): Panel {
    const { lab, listener, loop, flood: sender, syns, cookies, before } = this.seen;
    const { capacity, synQueue: requests } = listener;
    const began = listener.bursts.size > 0 ? clients - clientStates(listener).idle : 0;
    this.synQueue = Math.max(this.synQueue, requests);
    if (began > 0) this.synQueueLeast = Math.min(this.synQueueLeast, requests);
    return {
      title: `flood: ${clients} honest clients during a SYN flood, ${wordsFor(cookies)}`,
      meters: [
        {
          label: "HONEST CLIENTS",
          note: `accepted, of ${formatCount(began)} so far`,
          value: loop.accepted,
          of: clients,
          colour: "accepted",
        },
        {
          label: "SYN QUEUE",
          note: `capacity ${formatCount(capacity)}${requests >= capacity ? ", FULL" : ""}`,
          value: requests,
          of: capacity,
          colour: "synQueue",
        },
        {
          label: "FORGED SYNs",
          note: `${formatCount(sender.rate)} per second`,
          value: sender.counts().sent,
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
  }
}

async function underFlood(stage: Stage, lab: Lab, cookies: number, seconds: number): Promise<Flooded> {
  await lab.sysctl.set({ "net.ipv4.tcp_syncookies": cookies });
  const listener = await lab.listen({ backlog });
  const loop = listener.acceptLoop();
  const syns = Math.round(floodRate * seconds);
  const before = lab.counters();
  stage.renew();
  stage.say(
    `${formatCount(syns)} SYNs from addresses that never answer, ${wordsFor(cookies)}. Meanwhile ${clients} honest clients connect.`,
  );
  const sender = await lab.flood(listener, { count: syns, rate: floodRate });
  const view = new FloodView({ lab, listener, loop, flood: sender, syns, cookies, before });
  const look = () => view.look();
  await stage.watch(look, { ms: head });
  const window = Math.max(0.3, 0.9 * seconds - head / 1000);
  const crowd = await stage.during(
    lab.connect(listener, { clients, rate: clients / window, kind: "mirror", rtt, quiet: 300 }),
    look,
  );
  await stage.during(sender.finished(), look);
  const latencies = crowd.connected();
  const middle = latencies.at(Math.floor(latencies.length / 2));
  const moved = lab.counters().since(before);
  const flooded: Flooded = {
    cookies,
    syns,
    rate: sender.rate,
    clients,
    connected: loop.accepted,
    synQueue: view.synQueue,
    synQueueLeast: Math.min(view.synQueue, view.synQueueLeast),
    // without an accepted connection, clients that are ESTABLISHED are phantoms
    median: loop.accepted > 0 && middle !== undefined ? middle : null,
    cookiesSent: moved.get("SyncookiesSent"),
    drops: moved.get("ListenDrops"),
  };
  stage.say(
    `${wordsFor(cookies)}: ${flooded.connected} of ${clients} honest clients were accepted${flooded.median === null ? "" : `, median ${formatTime(flooded.median)}`}.`,
  );
  await stage.hold(look, 500 * seconds);
  await stage.curtain(cookies === 0 ? "The same flood with SYN cookies?" : "Side by side?", look);
  await crowd.close();
  await sender.reset();
  await sender.close();
  await loop.close();
  await listener.close();
  return flooded;
}

function sideBySide(floods: readonly Flooded[]): Panel {
  return {
    title: `flood: ${clients} honest clients during a SYN flood`,
    meters: floods.map(({ cookies, connected, median }) => ({
      label: cookies === 0 ? "WITHOUT COOKIES" : "WITH COOKIES",
      note: `accepted${median === null ? "" : `; median ${formatTime(median)}`}`,
      value: connected,
      of: clients,
      colour: cookies === 0 ? "drops" : "accepted",
    })),
  };
}

const kernel = "tcp_conn_request(), and cookie_v4_check() with cookies";

/** `one-listener demo flood`: the same flood without and with SYN cookies. */
export const flood: Demo = {
  name: "flood",
  title: "A SYN flood, and SYN cookies",
  sentence: `${clients} honest clients connect while forged SYNs fill the SYN queue, first without SYN cookies, then with them.`,
  takes: 12,
  seconds: 3,
  notebook: "07 · SYN flood and SYN cookies",
  run: (stage, { seconds }) =>
    inLab({ sysctls: { "net.core.somaxconn": 4096, "net.ipv4.tcp_max_syn_backlog": 4096 } }, async (lab) => {
      const without = await underFlood(stage, lab, 0, seconds);
      const on = await underFlood(stage, lab, 1, seconds);
      const median = (ms: number | null) => (ms === null ? "" : ` (median ${formatTime(ms)}, RTT ${rtt} ms)`);
      const result = [
        `During ${formatCount(without.syns)} forged SYNs, ${formatCount(without.rate)} per second, ${without.connected} of ${countOf(clients, "honest client")} were accepted without SYN cookies${median(without.median)}. The SYN queue held ${without.synQueue} requests, never fewer than ${without.synQueueLeast} while they connected, and the kernel dropped ${formatCount(without.drops)} SYNs.`,
        `With SYN cookies ${on.connected} were accepted${median(on.median)}. The SYN queue held ${on.synQueue} requests. The kernel answered ${formatCount(on.cookiesSent)} SYNs with a cookie and stored nothing for them.`,
      ];
      stage.renew();
      const outcome = { numbers: { without, with: on }, result, kernel };
      stage.conclude(sideBySide([without, on]), outcome, flood.notebook);
      return outcome;
    }),
};

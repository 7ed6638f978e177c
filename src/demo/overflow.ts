/** A burst that is larger than the backlog while the application does not call accept(): both queues, and the phantoms. */
import { inLab } from "../claims/experiment";
import type { Lab } from "../front-door";
import type { CounterDifference } from "../lab/counters";
import type { AcceptLoop } from "../listener/accept-loop";
import type { Listener } from "../listener/listener";
import type { Trace } from "../trace/trace";
import { countOf, formatCount } from "../wording/number";
import { clientStates } from "./client-states";
import type { Demo } from "./demo";
import type { Panel } from "./panel";
import type { Stage } from "./stage";

const clients = 500;
const backlog = 128;
const rtt = 20;
/** samples per second: the burst is over within some 60 ms */
const hz = 2000;

interface Moment {
  acceptQueue: number;
  synQueue: number;
  /** clients whose socket is ESTABLISHED */
  established: number;
  /** connections that the application has accepted */
  accepted: number;
}

/** The burst, recorded, and what it left. */
interface Burst {
  trace: Trace;
  /** ms of the recording between which anything changed */
  start: number;
  end: number;
  full: Moment;
  /** clients in SYN_SENT */
  trying: number;
  moved: CounterDifference;
  /** Ends the clients. */
  close(): Promise<void>;
}

/** Clients that are ESTABLISHED without a connection or a request on the server. */
function phantomsOf({ established, acceptQueue, synQueue, accepted }: Moment): number {
  return Math.max(0, established - acceptQueue - synQueue - accepted);
}

function momentOf(listener: Listener, loop?: AcceptLoop): Moment {
  return {
    acceptQueue: listener.acceptQueue,
    synQueue: listener.synQueue,
    established: clientStates(listener).established,
    accepted: loop?.accepted ?? 0,
  };
}

/** ms at which a column has changed */
const changesOf =
  (trace: Trace) =>
  (name: string): number[] => {
    const { time = [], values = [] } = trace.findColumn(name) ?? {};
    return Array.from(time).filter((_, at) => at > 0 && values[at] !== values[at - 1]);
  };

function panel(moment: Moment, capacity: number): Panel {
  const { acceptQueue, synQueue, established, accepted } = moment;
  const fill = (queued: number) => `capacity ${formatCount(capacity)}${queued >= capacity ? ", FULL" : ""}`;
  return {
    title: `overflow: ${clients} clients, RTT ${rtt} ms, backlog ${backlog}`,
    meters: [
      {
        label: "ACCEPT QUEUE",
        note: accepted > 0 ? `${formatCount(accepted)} accepted` : fill(acceptQueue),
        value: acceptQueue,
        of: capacity,
        colour: "acceptQueue",
      },
      { label: "SYN QUEUE", note: fill(synQueue), value: synQueue, of: capacity, colour: "synQueue" },
      { label: "ESTABLISHED", note: "on the client side", value: established, of: clients, colour: "accepted" },
      {
        label: "PHANTOMS",
        note: "ESTABLISHED, unknown to the server",
        value: phantomsOf(moment),
        of: clients,
        colour: "drops",
      },
    ],
  };
}

async function recordBurst(stage: Stage, lab: Lab, listener: Listener, look: () => Panel): Promise<Burst> {
  const before = lab.counters();
  const recording = await lab.record(listener, { hz, counters: [], live: false });
  const crowd = await stage.during(lab.connect(listener, { clients, kind: "mirror", rtt }), look);
  const full = momentOf(listener);
  const trying = crowd.counts().synSent;
  const moved = lab.counters().since(before);
  const trace = await recording.stop();
  const changes = ["acceptQueue", "synQueue", "established"].flatMap(changesOf(trace)).sort((a, b) => a - b);
  return {
    trace,
    start: (changes.at(0) ?? 0) - rtt / 4,
    end: (changes.at(-1) ?? trace.end) + rtt / 4,
    full,
    trying,
    moved,
    close: () => crowd.close(),
  };
}

/** Plays the recording of the burst within `seconds`. */
async function replay(stage: Stage, { trace, start, end }: Burst, capacity: number, seconds: number): Promise<void> {
  stage.renew();
  stage.say(
    `The ${Math.round(end - start)} ms of the burst as recorded, ${Math.round((1000 * seconds) / (end - start))} times slower.`,
  );
  await stage.hold((elapsed) => {
    const at = trace.at(Math.max(0, start) + ((end - start) * elapsed) / (1000 * seconds));
    const value = (name: string) => at[name] || 0; // NaN before the first row
    return panel(
      {
        acceptQueue: value("acceptQueue"),
        synQueue: value("synQueue"),
        established: value("established"),
        accepted: 0,
      },
      capacity,
    );
  }, 1000 * seconds);
}

function sentences({ full, trying, moved }: Burst, emptied: Moment): string[] {
  const phantoms = phantomsOf(full);
  return [
    `${full.established} of ${countOf(clients, "client")} were ESTABLISHED. The server knew ${full.acceptQueue + full.synQueue} of them: ${full.acceptQueue} in the accept queue, ${full.synQueue} in the SYN queue.`,
    phantoms > 0
      ? `The other ${phantoms} were phantoms: the kernel dropped their final ACK at the full accept queue. ${moved.get("SyncookiesSent")} SYN-ACKs were SYN cookies, for which the kernel stores nothing. After ${emptied.accepted} accepts ${phantomsOf(emptied)} were still phantoms: neither side has anything to retransmit.`
      : `There were no phantoms: ${trying} clients stayed in SYN_SENT and retransmit their SYN. The application accepted ${emptied.accepted}.`,
  ];
}

const kernel = "tcp_v4_syn_recv_sock(): sk_acceptq_is_full()";

/** `one-listener demo overflow`: 500 mirror clients, a backlog of 128, tcp_syncookies = 1. */
export const overflow: Demo = {
  name: "overflow",
  title: "A backlog overflows",
  sentence: `${clients} clients connect at once to a listener with backlog ${backlog} while the application does not call accept(): which connections exist, and which clients are phantoms.`,
  takes: 16,
  seconds: 4,
  notebook: "04 · Backlog overflow",
  run: (stage, { seconds }) =>
    inLab({ sysctls: { "net.core.somaxconn": 4096, "net.ipv4.tcp_syncookies": 1 } }, async (lab) => {
      const listener = await lab.listen({ backlog });
      const { capacity } = listener;
      const look = () => panel(momentOf(listener), capacity);

      stage.say(
        `A listener with backlog ${backlog}. The application does not call accept(). ${clients} clients follow.`,
      );
      await stage.hold(look, 1000);
      await stage.curtain("Connect them?", look);
      const burst = await recordBurst(stage, lab, listener, look);
      await replay(stage, burst, capacity, seconds);

      const { established, acceptQueue, synQueue } = momentOf(listener);
      stage.say(
        `Now, live: ${formatCount(established)} clients are ESTABLISHED. The server knows ${formatCount(acceptQueue + synQueue)} of them.`,
      );
      await stage.hold(look, 500 * seconds);
      await stage.curtain("accept() now?", look);

      const loop = listener.acceptLoop({ rate: capacity / (0.6 * seconds) });
      stage.say("The application accepts. Does this repair the phantoms?");
      const emptying = () => panel(momentOf(listener, loop), capacity);
      await stage.watch(emptying, { ms: 1000 * seconds });
      await stage.watch(emptying, { ms: 3000 * seconds, until: () => listener.acceptQueue === 0 });
      const emptied = momentOf(listener, loop);

      const { full, trying, moved } = burst;
      const numbers = {
        clients,
        backlog,
        roundTrip: rtt,
        cookies: await lab.sysctl.get("net.ipv4.tcp_syncookies"),
        acceptQueue: full.acceptQueue,
        synQueue: full.synQueue,
        established: full.established,
        trying,
        phantoms: phantomsOf(full),
        accepted: emptied.accepted,
        phantomsAfterAccept: phantomsOf(emptied),
        burstMs: burst.end - burst.start,
        overflows: moved.get("ListenOverflows"),
        drops: moved.get("ListenDrops"),
        cookiesSent: moved.get("SyncookiesSent"),
      };
      const outcome = { numbers, result: sentences(burst, emptied), kernel };
      stage.conclude(panel(emptied, capacity), outcome, overflow.notebook);
      await loop.close();
      await burst.close();
      return outcome;
    }),
};

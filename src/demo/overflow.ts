/** A burst that is larger than the backlog, and nobody accepts: both queues, and who believes what. */
import { inLab } from "../claims/experiment";
import { countOf, formatCount } from "../wording/number";
import type { Trace } from "../trace/trace";
import { clientStates } from "./client-states";
import type { Demo } from "./demo";
import type { Panel } from "./panel";

const clients = 500;
const backlog = 128;
const rtt = 20;
/** samples a second: the burst is over within some 60 ms */
const hz = 2000;

interface Moment {
  acceptQueue: number;
  synQueue: number;
  established: number;
  accepted: number;
}

/** Clients that are connected in their own opinion only. */
function phantomsOf({ established, acceptQueue, synQueue, accepted }: Moment): number {
  return Math.max(0, established - acceptQueue - synQueue - accepted);
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
  const room = (queued: number) => `room for ${formatCount(capacity)}${queued >= capacity ? ", FULL" : ""}`;
  return {
    title: `overflow: ${clients} clients, ${rtt} ms away, and a backlog of ${backlog}`,
    meters: [
      {
        label: "ACCEPT QUEUE",
        note: accepted > 0 ? `${formatCount(accepted)} accepted` : room(acceptQueue),
        value: acceptQueue,
        of: capacity,
        colour: "acceptQueue",
      },
      { label: "SYN QUEUE", note: room(synQueue), value: synQueue, of: capacity, colour: "synQueue" },
      {
        label: "BELIEVE",
        note: "clients that believe to be connected",
        value: established,
        of: clients,
        colour: "accepted",
      },
      {
        label: "PHANTOMS",
        note: "of whom the server knows nothing",
        value: phantomsOf(moment),
        of: clients,
        colour: "drops",
      },
    ],
  };
}

export const overflow: Demo = {
  name: "overflow",
  title: "A backlog overflows",
  sentence: `${clients} clients knock at once at a listener of backlog ${backlog} that nobody accepts from: who is connected, and who only believes it.`,
  takes: 16,
  seconds: 4,
  notebook: "04 · Backlog overflow",
  run: (stage, { seconds }) =>
    inLab({ sysctls: { "net.core.somaxconn": 4096, "net.ipv4.tcp_syncookies": 1 } }, async (lab) => {
      const listener = await lab.listen({ backlog });
      const { capacity } = listener;
      let accepted = () => 0;
      const now = (): Moment => ({
        acceptQueue: listener.acceptQueue,
        synQueue: listener.synQueue,
        established: clientStates(listener).established,
        accepted: accepted(),
      });
      const look = () => panel(now(), capacity);

      stage.say(`A listener of backlog ${backlog}. Nobody calls accept(). ${clients} clients will come at once.`);
      await stage.hold(look, 1000);
      await stage.curtain("Let them come?", look);
      const before = lab.counters();
      const recording = await lab.record(listener, { hz, counters: [], live: false });
      const burst = await stage.during(lab.connect(listener, { clients, kind: "mirror", rtt }), look);
      const full = now();
      const phantoms = phantomsOf(full);
      const trying = burst.counts().synSent;
      const moved = lab.counters().since(before);
      const trace = await recording.stop();
      const changes = ["acceptQueue", "synQueue", "established"].flatMap(changesOf(trace)).sort((a, b) => a - b);
      const start = (changes[0] ?? 0) - rtt / 4;
      const end = (changes.at(-1) ?? trace.end) + rtt / 4;

      stage.renew();
      stage.say(
        `Once more, as recorded, ${Math.round((1000 * seconds) / (end - start))} times slower: the ${Math.round(end - start)} ms of the burst.`,
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

      const { established, acceptQueue, synQueue } = now();
      stage.say(
        `Now, live: ${formatCount(established)} clients believe to be connected. The server knows ${formatCount(acceptQueue + synQueue)}.`,
      );
      await stage.hold(look, 500 * seconds);
      await stage.curtain("accept() now?", look);

      const loop = listener.acceptLoop({ rate: capacity / (0.6 * seconds) });
      accepted = () => loop.accepted;
      stage.say("accept() begins. Does it heal the phantoms?");
      await stage.watch(look, { ms: 1000 * seconds });
      await stage.watch(look, { ms: 3000 * seconds, until: () => listener.acceptQueue === 0 });
      const healed = now();
      const left = phantomsOf(healed);

      const numbers = {
        clients,
        backlog,
        roundTrip: rtt,
        cookies: await lab.sysctl.get("net.ipv4.tcp_syncookies"),
        acceptQueue: full.acceptQueue,
        synQueue: full.synQueue,
        believe: full.established,
        trying,
        phantoms,
        accepted: healed.accepted,
        phantomsAfterAccept: left,
        burstMs: end - start,
        overflows: moved.get("ListenOverflows"),
        drops: moved.get("ListenDrops"),
        cookiesSent: moved.get("SyncookiesSent"),
      };
      const result = [
        `${full.established} of ${countOf(clients, "client")} believed to be connected, and the server knew ${full.acceptQueue + full.synQueue} of them: ${full.acceptQueue} in the accept queue, ${full.synQueue} in the SYN queue.`,
        phantoms > 0
          ? `The other ${phantoms} are phantoms: their ACK met a full accept queue and was dropped, and ${moved.get("SyncookiesSent")} SYN-ACKs were cookies, so nothing of them is stored. When accept() had taken ${healed.accepted}, ${left} were phantoms: nobody sends anything again.`
          : `Nobody was deceived: ${trying} are outside, know it, and send their SYN again. accept() took ${healed.accepted}.`,
      ];
      const outcome = { numbers, result, kernel };
      stage.conclude(panel(healed, capacity), outcome, overflow.notebook);
      await loop.close();
      await burst.close();
      return outcome;
    }),
};

const kernel = "tcp_v4_syn_recv_sock(): sk_acceptq_is_full()";

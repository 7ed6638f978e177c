/** The same spike of clients against a short backlog and a long one. */
import { inLab } from "../claims/experiment";
import type { Lab } from "../front-door";
import { native } from "../native";
import { formatCount } from "../wording/number";
import { clientStates } from "./client-states";
import type { Demo } from "./demo";
import type { Panel } from "./panel";
import type { Stage } from "./stage";

const wanted = 5000;
/** accepts a second: the same server behind both */
const rate = 2500;
/** descriptors for everything else, and for connections between accept() and close() */
const reserve = 300;

interface Spike {
  backlog: number;
  clients: number;
  accepted: number;
  /** in the accept queue when the watch ended */
  waiting: number;
  /** clients whose SYN has no answer yet */
  trying: number;
  /** clients that believe to be connected, and of whom the server knows nothing */
  phantoms: number;
  /** SYNs that were sent again */
  resends: number;
  seconds: number;
}

async function spikeAgainst(stage: Stage, lab: Lab, backlog: number, clients: number, seconds: number): Promise<Spike> {
  const listener = await lab.listen({ backlog });
  const { capacity } = listener;
  const before = lab.counters();
  const start = native.now();
  let accepted = () => 0;
  const look = (): Panel => {
    const { synSent, established, closedByServer } = clientStates(listener);
    const { acceptQueue } = listener;
    return {
      title: `spike: ${formatCount(clients)} clients at once, backlog ${formatCount(backlog)}, ${formatCount(rate)} accepts a second`,
      meters: [
        {
          label: "ACCEPT QUEUE",
          note: `room for ${formatCount(capacity)}${acceptQueue >= capacity ? ", FULL" : ""}`,
          value: acceptQueue,
          of: capacity,
          colour: "acceptQueue",
        },
        { label: "SERVED", note: `of ${formatCount(clients)}`, value: accepted(), of: clients, colour: "accepted" },
        { label: "OUTSIDE", note: "SYN sent, no answer", value: synSent, of: clients, colour: "synQueue" },
        {
          label: "PHANTOMS",
          note: "believe to be connected",
          value: Math.max(0, established + closedByServer - acceptQueue - listener.synQueue - accepted()),
          of: clients,
          colour: "drops",
        },
      ],
    };
  };
  stage.renew();
  stage.say(`${formatCount(clients)} clients at the same moment; a backlog of ${formatCount(backlog)}.`);
  const crowd = await stage.during(lab.connect(listener, { clients, quiet: 20 }), look);
  const loop = listener.acceptLoop({ close: true, rate });
  accepted = () => loop.accepted;
  const over = () =>
    loop.accepted >= clients || (crowd.counts().synSent === 0 && listener.acceptQueue + listener.synQueue === 0);
  await stage.watch(look, { ms: 1000 * seconds, until: over });
  const { synSent: trying, established, closedByServer } = crowd.counts();
  const waiting = listener.acceptQueue;
  const spike: Spike = {
    backlog,
    clients,
    accepted: loop.accepted,
    waiting,
    trying,
    phantoms: Math.max(0, established + closedByServer - waiting - listener.synQueue - loop.accepted),
    resends: lab.counters().since(before).get("TCPSynRetrans"),
    seconds: (native.now() - start) / 1000,
  };
  stage.say(
    `Backlog ${formatCount(backlog)}: ${formatCount(spike.accepted)} of ${formatCount(clients)} served in ${spike.seconds.toFixed(1)} s, ${formatCount(spike.phantoms)} phantoms, ${formatCount(trying)} still trying.`,
  );
  await stage.hold(look, Math.min(2000, 500 * seconds));
  await stage.curtain(backlog < 1000 ? "The same with a long backlog?" : "Side by side?", look);
  await loop.close();
  await crowd.close();
  await listener.close();
  return spike;
}

const kernel = "sk_acceptq_is_full()";

export const spike: Demo = {
  name: "spike",
  title: "A spike of 5,000 clients, backlog 128 and 4,096",
  sentence: `${formatCount(wanted)} clients at the same moment and a server that accepts ${formatCount(rate)} a second: with a short backlog and with a long one.`,
  takes: 14,
  seconds: 8,
  notebook: "05 · Slow accept",
  run: (stage, { seconds }) =>
    inLab(
      { wire: false, hashBuckets: 16_384, sysctls: { "net.core.somaxconn": 4096, "net.ipv4.tcp_syncookies": 1 } },
      async (lab) => {
        const { soft, open } = native.descriptors();
        const clients = Math.max(1, Math.min(wanted, soft - open - reserve));
        if (clients < wanted)
          stage.say(
            `${formatCount(clients)} clients instead of ${formatCount(wanted)}: this process may have ${formatCount(soft)} descriptors (ulimit -Hn).`,
          );
        const short = await spikeAgainst(stage, lab, 128, clients, seconds);
        const long = await spikeAgainst(stage, lab, 4096, clients, seconds);
        const tale = ({ backlog, accepted, seconds: took, phantoms, trying, waiting, resends }: Spike) =>
          `backlog ${formatCount(backlog)} served ${formatCount(accepted)} of ${formatCount(clients)} in ${took.toFixed(1)} s, after ${formatCount(resends)} SYNs sent again; ${formatCount(phantoms)} phantom${phantoms === 1 ? "" : "s"}${trying > 0 ? `, ${formatCount(trying)} still trying` : ""}${waiting > 0 ? `, ${formatCount(waiting)} still waiting` : ""}`;
        const result = [
          `The same server behind both, ${formatCount(rate)} accepts a second. ${upper(tale(short))}.`,
          `${upper(tale(long))}. Those kept out come back by their own timers, all in one moment, and a short queue is full again.`,
        ];
        const panel: Panel = {
          title: `spike: ${formatCount(clients)} clients at once`,
          meters: [short, long].flatMap((each): Panel["meters"] => [
            {
              label: `SERVED, ${formatCount(each.backlog)}`,
              note: `backlog ${formatCount(each.backlog)}`,
              value: each.accepted,
              of: clients,
              colour: "accepted",
            },
            {
              label: `PHANTOMS, ${formatCount(each.backlog)}`,
              note: "believe to be connected",
              value: each.phantoms,
              of: clients,
              colour: "drops",
            },
          ]),
        };
        stage.renew();
        const outcome = { numbers: { clients, rate, short, long }, result, kernel };
        stage.conclude(panel, outcome, spike.notebook);
        return outcome;
      },
    ),
};

function upper(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

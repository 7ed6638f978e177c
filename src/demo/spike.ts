/** The same spike of clients against a short backlog and a long one. */
import { inLab } from "../claims/experiment";
import type { Lab } from "../front-door";
import type { AcceptLoop } from "../listener/accept-loop";
import type { Listener } from "../listener/listener";
import { native } from "../native";
import { countOf, formatCount } from "../wording/number";
import { clientStates } from "./client-states";
import type { Demo } from "./demo";
import type { Panel } from "./panel";
import type { Stage } from "./stage";

const wanted = 5000;
/** accepts per second, with both backlogs */
const rate = 2500;
/** descriptors for everything else, and for connections between accept() and close() */
const reserve = 300;

interface Spike {
  backlog: number;
  clients: number;
  accepted: number;
  /** connections in the accept queue at the end */
  waiting: number;
  /** clients in SYN_SENT at the end */
  trying: number;
  /** clients that are ESTABLISHED without a connection on the server */
  phantoms: number;
  /** of SYNs (TCPSynRetrans) */
  retransmissions: number;
  seconds: number;
}

/** What is seen while a spike goes on; `accepted` is 0 until the loop runs. */
function spikePanel(listener: Listener, { clients, accepted }: { clients: number; accepted: number }): Panel {
  const { synSent, established, closedByServer } = clientStates(listener);
  const { acceptQueue, backlog, capacity } = listener;
  return {
    title: `spike: ${formatCount(clients)} clients at once, backlog ${formatCount(backlog)}, ${formatCount(rate)} accepts per second`,
    meters: [
      {
        label: "ACCEPT QUEUE",
        note: `capacity ${formatCount(capacity)}${acceptQueue >= capacity ? ", FULL" : ""}`,
        value: acceptQueue,
        of: capacity,
        colour: "acceptQueue",
      },
      { label: "ACCEPTED", note: `of ${formatCount(clients)}`, value: accepted, of: clients, colour: "accepted" },
      { label: "SYN_SENT", note: "no answer yet", value: synSent, of: clients, colour: "synQueue" },
      {
        label: "PHANTOMS",
        note: "ESTABLISHED, unknown to the server",
        value: Math.max(0, established + closedByServer - acceptQueue - listener.synQueue - accepted),
        of: clients,
        colour: "drops",
      },
    ],
  };
}

async function spikeAgainst(stage: Stage, lab: Lab, backlog: number, clients: number, seconds: number): Promise<Spike> {
  const listener = await lab.listen({ backlog });
  const before = lab.counters();
  const start = native.now();
  let loop: AcceptLoop | undefined;
  const look = () => spikePanel(listener, { clients, accepted: loop?.accepted ?? 0 });
  stage.renew();
  stage.say(`${formatCount(clients)} clients connect at the same moment; backlog ${formatCount(backlog)}.`);
  const crowd = await stage.during(lab.connect(listener, { clients, quiet: 20 }), look);
  const accepting = (loop = listener.acceptLoop({ close: true, rate }));
  const over = () =>
    accepting.accepted >= clients || (crowd.counts().synSent === 0 && listener.acceptQueue + listener.synQueue === 0);
  await stage.watch(look, { ms: 1000 * seconds, until: over });
  const { synSent: trying, established, closedByServer } = crowd.counts();
  const waiting = listener.acceptQueue;
  const spiked: Spike = {
    backlog,
    clients,
    accepted: accepting.accepted,
    waiting,
    trying,
    phantoms: Math.max(0, established + closedByServer - waiting - listener.synQueue - accepting.accepted),
    retransmissions: lab.counters().since(before).get("TCPSynRetrans"),
    seconds: (native.now() - start) / 1000,
  };
  stage.say(
    `Backlog ${formatCount(backlog)}: ${formatCount(spiked.accepted)} of ${formatCount(clients)} accepted in ${spiked.seconds.toFixed(1)} s, ${countOf(spiked.phantoms, "phantom")}, ${formatCount(trying)} in SYN_SENT.`,
  );
  await stage.hold(look, Math.min(2000, 500 * seconds));
  await stage.curtain(backlog < 1000 ? "The same with a long backlog?" : "Side by side?", look);
  await accepting.close();
  await crowd.close();
  await listener.close();
  return spiked;
}

function sentenceOf({
  backlog,
  clients,
  accepted,
  seconds,
  phantoms,
  trying,
  waiting,
  retransmissions,
}: Spike): string {
  const parts = [countOf(retransmissions, "retransmitted SYN"), countOf(phantoms, "phantom")];
  if (trying > 0) parts.push(`${formatCount(trying)} in SYN_SENT`);
  if (waiting > 0) parts.push(`${formatCount(waiting)} in the accept queue`);
  return `Backlog ${formatCount(backlog)}: ${formatCount(accepted)} of ${formatCount(clients)} accepted in ${seconds.toFixed(1)} s; ${parts.join(", ")}.`;
}

function sideBySide(clients: number, spikes: readonly Spike[]): Panel {
  return {
    title: `spike: ${formatCount(clients)} clients at once`,
    meters: spikes.flatMap(({ backlog, accepted, phantoms }): Panel["meters"] => [
      {
        label: `ACCEPTED, ${formatCount(backlog)}`,
        note: `backlog ${formatCount(backlog)}`,
        value: accepted,
        of: clients,
        colour: "accepted",
      },
      {
        label: `PHANTOMS, ${formatCount(backlog)}`,
        note: "ESTABLISHED, unknown to the server",
        value: phantoms,
        of: clients,
        colour: "drops",
      },
    ]),
  };
}

const kernel = "sk_acceptq_is_full()";

/** `one-listener demo spike`: the text's 5,000 clients, loopback, backlogs 128 and 4,096, tcp_syncookies = 1. */
export const spike: Demo = {
  name: "spike",
  title: "A spike of 5,000 clients, backlog 128 and 4,096",
  sentence: `${formatCount(wanted)} clients at the same moment and a server that accepts ${formatCount(rate)} per second, first with a short backlog, then with a long one.`,
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
        const result = [
          `The same server with two backlogs, ${formatCount(rate)} accepts per second. ${sentenceOf(short)}`,
          `${sentenceOf(long)} Clients whose SYN was dropped retransmit at the same moment, so a short queue is full again.`,
        ];
        stage.renew();
        const outcome = { numbers: { clients, rate, short, long }, result, kernel };
        stage.conclude(sideBySide(clients, [short, long]), outcome, spike.notebook);
        return outcome;
      },
    ),
};

import { inLab } from "../claims/experiment";
import { count } from "../watch/screen";
import type { Demo } from "./demo";

const backlog = 128;
const clients = 500;
const rtt = 20;

export const overflow: Demo = {
  name: "overflow",
  title: "The 129th connection",
  sentence: `${clients} clients, ${rtt} ms away, come at once to a listener of backlog ${backlog} that nobody accepts from.`,
  seconds: 6,
  run: (stage) => inLab({ sysctls: { "net.ipv4.tcp_syncookies": 1 } }, async (lab) => {
    const listener = await lab.listen({ port: 8080, backlog });
    const room = listener.capacity;
    const bursts: { counts(): Record<string, number> }[] = [];
    let accepted = 0;
    const known = () => listener.acceptQueue + accepted;
    const levels = () => [
      { name: "accept queue", value: listener.acceptQueue, of: room, colour: "blue" as const, limit: true },
      { name: "SYN queue", value: listener.synQueue, of: room, colour: "yellow" as const },
      { name: "say: I am connected", value: bursts[0]?.counts().established ?? 0, of: clients, colour: "green" as const, limit: true },
      { name: "known to the server", value: known(), of: clients, colour: "blue" as const, limit: true },
    ];
    stage.act(`listen(${backlog}), and nobody calls accept()`);
    await stage.follow(levels, 800, undefined, "");
    const connecting = lab.connect(listener, { clients, kind: "mirror", rtt, quiet: 1200 });
    connecting.catch(() => undefined);
    // the burst runs; its counts are there as soon as it has started
    listener.once("clients", (burst) => bursts.push(burst as never));
    await stage.follow(levels, 2500, undefined, `${clients} clients come at once`);
    const burst = await connecting;
    const believe = burst.counts().established;
    const queued = listener.acceptQueue;
    stage.act("now the application accepts all it can get");
    const loop = listener.acceptLoop();
    await stage.follow(() => {
      accepted = loop.accepted;
      return levels();
    }, 1800, undefined, "accept(), accept(), accept() …");
    accepted = loop.accepted;
    const established = burst.counts().established;
    const phantoms = established - accepted;
    const drops = lab.counters().get("TcpExt.ListenDrops");
    return {
      numbers: { clients, room, queued, believe, accepted, established, phantoms, outside: burst.counts().synSent, drops },
      told: [
        `${count(queued)} connections fit into a backlog of ${backlog}: one more than it says. ${count(believe)} of ${clients} clients said that they were connected.`,
        `The application got ${count(accepted)}. ${count(Math.max(0, phantoms))} clients are connected to nobody: the last ACK of their handshake met a full queue, and the kernel dropped it without a word.`,
      ],
      kernel: "sk_acceptq_is_full()",
      notebook: "04 · Backlog overflow",
    };
  }),
};

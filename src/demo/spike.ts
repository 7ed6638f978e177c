import { inLab } from "../claims/experiment";
import * as arrivals from "../listener/arrivals";
import { count } from "../watch/screen";
import type { Demo } from "./demo";
import type { Stage } from "./stage";

const clients = 5000;

/** A spike over a backlog, with an application that needs a moment before it accepts. */
async function spikeOver(stage: Stage, backlog: number) {
  return inLab({ wire: false, sysctls: { "net.core.somaxconn": 65_535, "net.ipv4.tcp_syncookies": 0 } }, async (lab) => {
    const listener = await lab.listen({ port: 8080, backlog });
    let crowd: { counts(): Record<string, number> } | undefined;
    listener.on("clients", (burst) => (crowd = burst as never));
    stage.act(`5,000 clients in a fifth of a second, listen(${count(backlog)})`);
    const before = lab.counters();
    const connecting = lab.connect(listener, { clients, schedule: arrivals.spike(clients, 0, 200), quiet: 700 });
    connecting.catch(() => undefined);
    // 2,000 a second: a handler that takes half a millisecond
    const loop = listener.acceptLoop({ rate: 2000, close: true });
    const levels = () => [
      { name: "accept queue", value: listener.acceptQueue, of: listener.capacity, colour: "blue" as const, limit: true },
      { name: "accepted", value: loop.accepted, of: clients, colour: "green" as const, limit: true },
      { name: "SYN sent, no answer", value: crowd?.counts().synSent ?? 0, of: clients, colour: "red" as const },
    ];
    await stage.follow(levels, 900, undefined, "an application that takes 2,000 a second");
    const outside = (await Promise.race([connecting, Promise.resolve(undefined)]), crowd?.counts().synSent ?? 0);
    await stage.follow(levels, 4000, () => loop.accepted >= clients, "an application that takes 2,000 a second");
    const burst = await connecting;
    const slow = burst.latencies().filter((ms) => ms > 500).length;
    return { outside, accepted: loop.accepted, slow, overflows: lab.counters().since(before).get("TcpExt.ListenOverflows") };
  });
}

export const spike: Demo = {
  name: "spike",
  title: "The spike",
  sentence: `${count(clients)} clients in a fifth of a second, against a backlog of 128 and one of 8,192.`,
  seconds: 9,
  async run(stage) {
    const small = await spikeOver(stage, 128);
    const large = stage.aborted ? small : await spikeOver(stage, 8192);
    return {
      numbers: { clients, outsideSmall: small.outside, overflowsSmall: small.overflows, slowSmall: small.slow, outsideLarge: large.outside, overflowsLarge: large.overflows, slowLarge: large.slow },
      told: [
        `With a backlog of 128, ${count(small.outside)} clients stood outside and had to send their SYN again, a second later at the earliest; the kernel counted ${count(small.overflows)} overflows.`,
        `With 8,192, ${count(large.outside)} did. The application was exactly as fast both times.`,
      ],
      kernel: "tcp_conn_request(), tcp_retransmit_timer()",
      notebook: "05 · Slow accept",
    };
  },
};

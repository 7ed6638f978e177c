import { inLab } from "../claims/experiment";
import * as arrivals from "../listener/arrivals";
import { count } from "../watch/screen";
import type { Demo } from "./demo";
import type { Stage } from "./stage";

const honest = 200;
const flood = 120_000;
const rate = 40_000;
const rtt = 20;

/** One flood against honest clients. */
async function underFlood(stage: Stage, cookies: 0 | 1): Promise<{ connected: number; median: number; sent: number; cookiesSent: number; dropped: number }> {
  return inLab({ sysctls: { "net.ipv4.tcp_syncookies": cookies, "net.ipv4.tcp_max_syn_backlog": 4096 } }, async (lab) => {
    const listener = await lab.listen({ port: 8080, backlog: 256 });
    listener.acceptLoop();
    let crowd: { counts(): Record<string, number> } | undefined;
    stage.act(cookies ? "The same flood, with SYN cookies" : "A SYN flood, without SYN cookies");
    const syns = await lab.flood(listener, { count: flood, rate });
    listener.on("clients", (burst) => (crowd = burst as never));
    const before = lab.counters();
    const connecting = lab.connect(listener, { clients: honest, kind: "mirror", rtt, schedule: arrivals.constant(honest, 100).map((ms) => ms + 300), quiet: 500 });
    connecting.catch(() => undefined);
    const levels = () => [
      { name: "SYN queue", value: listener.synQueue, of: listener.capacity, colour: "yellow" as const, limit: true },
      { name: "SYNs of the flood", value: syns.counts().sent, of: flood, colour: "red" as const, limit: true },
      { name: "honest clients connected", value: crowd?.counts().established ?? 0, of: honest, colour: "green" as const, limit: true },
    ];
    await stage.follow(levels, 3200, undefined, `${count(rate)} SYNs a second from invented addresses; ${honest} honest clients, ${rtt} ms away`);
    const clients = await connecting;
    const latencies = clients.connected().filter((ms) => ms < 900);
    const moved = lab.counters().since(before);
    return {
      connected: latencies.length, median: latencies[latencies.length >> 1] ?? NaN, sent: syns.counts().sent,
      cookiesSent: moved.get("TcpExt.SyncookiesSent"), dropped: moved.get("TcpExt.TCPReqQFullDrop"),
    };
  });
}

export const floodDemo: Demo = {
  name: "flood",
  title: "A flood, and a cookie",
  sentence: `${honest} honest clients under ${count(rate)} SYNs a second: without SYN cookies, then with them.`,
  seconds: 8,
  async run(stage) {
    const without = await underFlood(stage, 0);
    const cookies = stage.aborted ? without : await underFlood(stage, 1);
    return {
      numbers: {
        honest, sentWithout: without.sent, connectedWithout: without.connected, dropped: without.dropped,
        sentWith: cookies.sent, connectedWith: cookies.connected, medianWith: cookies.median, cookiesSent: cookies.cookiesSent,
      },
      told: [
        `Without cookies ${count(without.connected)} of ${honest} honest clients got in: the SYN queue was full of strangers, and ${count(without.dropped)} SYNs were dropped, theirs among them.`,
        `With cookies ${count(cookies.connected)} did, with a median of ${cookies.median.toFixed(1)} ms: ${count(cookies.cookiesSent)} answers that the kernel did not have to remember.`,
      ],
      kernel: "tcp_conn_request(), cookie_v4_init_sequence()",
      notebook: "07 · SYN flood and SYN cookies",
    };
  },
};

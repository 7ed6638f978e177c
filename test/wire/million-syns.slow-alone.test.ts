import assert from "node:assert/strict";
import { Lab } from "../../dist/front-door";
import { until } from "../fixtures/waiting";

const syns = 1_000_000;
const honest = 100;

/** How many honest clients, 20 ms away, the application gets while a million SYNs come in. */
async function during(
  cookies: number,
): Promise<{ connected: number; sent: number; synQueue: number; latencies: Float64Array }> {
  const lab = await Lab.open({ sysctls: { "net.ipv4.tcp_syncookies": cookies, "net.ipv4.tcp_max_syn_backlog": 4096 } });
  try {
    const listener = await lab.listen({ backlog: 128 });
    const loop = listener.acceptLoop();
    const flood = await lab.flood(listener, { count: syns });
    await until(() => flood.counts().sent > syns / 100, "the flood has begun");
    const clients = await lab.connect(listener, { clients: honest, rate: 50, kind: "mirror", rtt: 20, quiet: 500 });
    const { synQueue } = listener;
    const { sent } = await flood.finished();
    return { connected: loop.accepted, sent, synQueue, latencies: clients.connected() };
  } finally {
    await lab.close();
  }
}

describe("honest clients during a million SYNs", function () {
  this.timeout(120_000);

  it("are locked out without SYN cookies, and get in with them", async () => {
    const [off, on, always] = [await during(0), await during(1), await during(2)];
    for (const { sent } of [off, on, always]) assert.equal(sent, syns);
    assert.ok(off.connected < honest / 10, `${off.connected} without cookies`);
    assert.ok(on.connected > honest / 2, `${on.connected} with cookies`);
    assert.ok(always.connected > honest / 2, `${always.connected} with cookies for all`);
    assert.ok(off.synQueue >= 128 && on.synQueue >= 128 && always.synQueue === 0);
    assert.ok(on.latencies[0] >= 20, "a handshake takes the round trip at least");
  });
});

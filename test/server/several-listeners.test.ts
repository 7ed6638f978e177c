import assert from "node:assert/strict";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { until } from "../fixtures/waiting";
import type { Lab } from "../../dist/front-door";
import { skip } from "../fixtures/skip";

/** SO_REUSEPORT: what notebook 09 says of listeners that share a port. */
describe("several listeners on one port", function () {
  this.timeout(20_000);
  let lab: Lab;
  labOfSuite((opened) => (lab = opened), { wire: false });

  const together = async (count: number, port: number, backlog: number) => {
    const listeners = [];
    while (listeners.length < count) listeners.push(await lab.listen({ port, backlog, reusePort: true }));
    return listeners;
  };

  it("a client whose listener is full is turned away, while its sisters have room", async () => {
    // a hash chooses: four queues of 26 rarely take 100 evenly enough, and never five times
    for (let round = 0; round < 5; round++) {
      const port = 8080 + round;
      const listeners = await together(4, port, 25);
      const before = lab.counters();
      const clients = await lab.connect(port, { clients: 100, quiet: 50 });
      const overflows = lab.counters().since(before).get("ListenOverflows");
      const lengths = listeners.map(({ acceptQueue }) => acceptQueue);
      const { synSent } = clients.counts();
      await clients.close();
      for (const listener of listeners) await listener.close();
      assert.equal(
        lengths.reduce((sum, length) => sum + length, synSent),
        100,
      );
      if (synSent === 0) continue;
      assert.ok(overflows >= synSent);
      assert.ok(
        lengths.includes(26) && lengths.some((length) => length < 26),
        `one is full, another is not: ${lengths.join(", ")}`,
      );
      return;
    }
    assert.fail("five times nobody was turned away");
  });

  const closeOne = async (migrate: number, port: number) => {
    await lab.sysctl.set({ "net.ipv4.tcp_migrate_req": migrate });
    const [first, second] = await together(2, port, 50);
    const clients = await lab.connect(port, { clients: 40, quiet: 50 });
    const [leaving, staying] = [first.acceptQueue, second.acceptQueue];
    const before = lab.counters();
    await first.close();
    await until(() => second.acceptQueue + clients.counts().reset >= 40, "each client is moved or reset");
    const seen = {
      leaving,
      staying,
      afterwards: second.acceptQueue,
      reset: clients.counts().reset,
      moved: lab.counters().since(before).get("TCPMigrateReqSuccess"),
    };
    await clients.close();
    await second.close();
    return seen;
  };

  const needsMigration = async (context: Mocha.Context) => {
    const known = await lab.sysctl.get("net.ipv4.tcp_migrate_req").catch(() => undefined);
    if (known === undefined) skip(context, "this kernel has no net.ipv4.tcp_migrate_req");
  };

  it("one that closes resets its queue, while the other has room", async function () {
    await needsMigration(this);
    const { leaving, staying, afterwards, reset, moved } = await closeOne(0, 8090);
    assert.ok(leaving > 0 && staying > 0, "each has some of 40");
    assert.deepEqual([afterwards, reset, moved], [staying, leaving, 0]);
  });

  it("with tcp_migrate_req its queue goes to the other", async function () {
    await needsMigration(this);
    const { leaving, staying, afterwards, reset, moved } = await closeOne(1, 8091);
    assert.ok(leaving > 0 && staying > 0, "each has some of 40");
    assert.deepEqual([afterwards, reset, moved], [staying + leaving, 0, leaving]);
  });
});

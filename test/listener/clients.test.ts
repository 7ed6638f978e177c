import assert from "node:assert/strict";
import { labOfSuite } from "../fixtures/lab-of-suite";
import type { Lab } from "../../dist/index";

describe("clients", () => {
  let lab: Lab;
  labOfSuite((opened) => (lab = opened));

  it("are refused where nobody listens", async () => {
    const clients = await lab.connect(9, { clients: 10 });
    assert.equal(clients.counts().refused, 10);
    assert.equal(clients.at(3).error, "ECONNREFUSED");
    await clients.close();
  });

  it("send, hang up and reset, all or some", async () => {
    const listener = await lab.listen({ backlog: 64 });
    const clients = await lab.connect(listener, { clients: 10 });
    const servers = listener.acceptAll();
    assert.equal(await clients.send("abc", [0, 1]), 2);
    assert.equal(String(await servers[0].read()), "abc");
    assert.equal(await clients.hangUp([2]), 1);
    assert.equal(await servers[2].read(), null);
    assert.equal(await clients.reset([3]), 1);
    await assert.rejects(servers[3].read(), /ECONNRESET/);
    assert.equal(clients.counts().closed, 2);
    await servers[4].close();
    servers[5].reset();
    assert.ok(await clients.until(({ closedByServer, reset }) => closedByServer === 1 && reset === 1));
    assert.deepEqual([clients.which("closedByServer"), clients.which("reset")], [[4], [5]]);
    await servers[6].write("twelve bytes");
    assert.ok(await clients.until(() => clients.at(6).bytesReceived === 12));
    await assert.rejects(async () => clients.send("x", [10]), /index of a client/);
    const taken = clients.take(7);
    await taken.write("by hand");
    assert.equal(String(await servers[7].read()), "by hand");
    await clients.close();
    await listener.close();
  });

  it("come when the schedule says, and not all at once", async () => {
    const listener = await lab.listen({ backlog: 64 });
    const schedule = [0, 20, 40, 60, 80];
    const clients = await lab.connect(listener, { clients: 5, schedule });
    schedule.forEach((due, at) =>
      assert.ok(clients.at(at).connectAt >= due, `client ${at} came at ${clients.at(at).connectAt}, before ${due}`),
    );
    await clients.close();
    await listener.close();
  });

  it("come from the addresses given", async () => {
    const listener = await lab.listen({ backlog: 64 });
    const clients = await lab.connect(listener, { clients: 6, from: ["127.0.0.7", "127.0.0.8"] });
    assert.deepEqual(
      new Set(listener.acceptAll().map(({ remote }) => remote.address)),
      new Set(["127.0.0.7", "127.0.0.8"]),
    );
    await clients.close();
    await listener.close();
  });

  it("whose packets are lost stay outside", async () => {
    const listener = await lab.listen({ backlog: 64 });
    const clients = await lab.connect(listener, { clients: 10, kind: "mirror", rtt: 1, loss: 1 });
    assert.equal(clients.counts().synSent, 10);
    assert.equal(listener.synQueue, 0);
    await clients.close();
    await listener.close();
  });

  it("of a longer round trip take longer, side by side", async () => {
    const listener = await lab.listen({ backlog: 512 });
    const median = (values: Float64Array) => values[values.length >> 1];
    const near = await lab.connect(listener, { clients: 50, kind: "mirror", rtt: 10 });
    const far = await lab.connect(listener, { clients: 50, kind: "mirror", rtt: 60 });
    assert.equal(near.counts().established + far.counts().established, 100);
    assert.ok(near.connected()[0] >= 10 && far.connected()[0] >= 60);
    assert.ok(median(far.connected()) > 2 * median(near.connected()));
    await near.close();
    await far.close();
    await listener.close();
  });

  it("by the thousand, over loopback and over the wire", async () => {
    const listener = await lab.listen({ backlog: 4096 });
    const loop = listener.acceptLoop({ close: true });
    for (const kind of ["loopback", "mirror"] as const) {
      const clients = await lab.connect(listener, {
        clients: 3000,
        kind,
        quiet: 1000,
        ...(kind === "mirror" && { rtt: 5 }),
      });
      const { established, closedByServer } = clients.counts();
      assert.equal(established + closedByServer, 3000, JSON.stringify(clients.counts()));
      await clients.close();
    }
    await loop.stop();
    await listener.close();
  });
});

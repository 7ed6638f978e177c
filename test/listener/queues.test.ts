import assert from "node:assert/strict";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { type Lab, type Listener, type Peer } from "../../dist/index";
import { native } from "../../dist/native";
import { until } from "../fixtures/waiting";

describe("the accept queue", () => {
  let lab: Lab;
  let somaxconn: number;
  labOfSuite(
    async (opened) => {
      lab = opened;
      somaxconn = await lab.sysctl.get("net.core.somaxconn");
    },
    { sysctls: { "net.ipv4.tcp_syncookies": 1 } },
  );

  for (const backlog of [0, 1, 5, 128, -1, 5000, 2 ** 31, 4_294_967_295]) {
    it(`has room for min(backlog, somaxconn) + 1 with a backlog of ${backlog}`, async () => {
      const listener = await lab.listen({ backlog });
      const room = Math.min(backlog >>> 0, somaxconn) + 1;
      assert.equal(listener.capacity, room);
      const clients = await lab.connect(listener, { clients: Math.min(room, 150) + 20, quiet: 50 });
      assert.equal(listener.acceptQueue, Math.min(room, clients.length));
      assert.equal(clients.counts().established, Math.min(room, clients.length));
      await clients.close();
      await listener.close();
    });
  }

  it("is clamped by the Lab's somaxconn, at listen() and not before", async () => {
    await lab.sysctl.with({ "net.core.somaxconn": 10 }, async () => {
      const listener = await lab.listen({ backlog: 100 });
      assert.equal(listener.acceptMax, 10);
      await lab.sysctl.set({ "net.core.somaxconn": 20 });
      assert.equal(listener.acceptMax, 10);
      listener.relisten(100);
      assert.equal(listener.acceptMax, 20);
      await listener.close();
    });
  });

  it("keeps what it holds when listen() is called again, up or down", async () => {
    const listener = await lab.listen({ backlog: 5 });
    const clients = await lab.connect(listener, { clients: 6 });
    for (const backlog of [100, 1]) {
      listener.relisten(backlog);
      assert.equal(listener.capacity, backlog + 1);
      assert.equal(listener.acceptQueue, 6);
    }
    assert.equal(listener.acceptAll().length, 6);
    await clients.close();
    await listener.close();
  });

  it("is first in, first out", async () => {
    const listener = await lab.listen({ backlog: 128 });
    const clients = await lab.connect(listener, { clients: 100, rate: 5000 });
    const ports = listener.acceptAll().map(({ remote }) => remote.port);
    assert.deepEqual(
      ports,
      Array.from({ length: 100 }, (_, at) => clients.at(at).localPort),
    );
    await clients.close();
    await listener.close();
  });

  it("leaves clients believing that they are connected: 20 ms away, with cookies", async () => {
    await lab.sysctl.set({ "net.ipv4.tcp_syncookies": 1 });
    const listener = await lab.listen({ backlog: 5 });
    const before = lab.counters();
    const clients = await lab.connect(listener, { clients: 20, kind: "mirror", rtt: 20 });
    assert.equal(clients.counts().established, 20);
    assert.equal(listener.acceptQueue, listener.capacity);
    const change = lab.counters().since(before);
    assert.equal(change.get("SyncookiesSent"), 20 - listener.capacity);
    assert.equal(change.get("ListenOverflows"), 20 - listener.capacity);
    assert.ok(clients.connected()[0] >= 20, `a handshake takes a round trip, not ${clients.connected()[0]} ms`);
    await clients.close();
    await listener.close();
  });

  it("leaves clients in SYN_SENT: 20 ms away, without cookies", async () => {
    await lab.sysctl.with({ "net.ipv4.tcp_syncookies": 0 }, async () => {
      const listener = await lab.listen({ backlog: 5 });
      const before = lab.counters();
      const clients = await lab.connect(listener, { clients: 20, kind: "mirror", rtt: 20 });
      assert.equal(clients.counts().established, listener.capacity);
      assert.equal(clients.counts().synSent, 20 - listener.capacity);
      assert.equal(lab.counters().since(before).get("TCPReqQFullDrop"), 20 - listener.capacity);
      await clients.close();
      await listener.close();
    });
  });
});

describe("the SYN queue", () => {
  let lab: Lab;
  let listener: Listener;
  labOfSuite(async (opened) => {
    lab = opened;
    listener = await lab.listen({ backlog: 64, deferAccept: 10 });
  });

  it("shows requests whose handshake is not over, with address, port and timer", async () => {
    const clients = await lab.connect(listener, { clients: 10 });
    assert.equal(listener.synQueue, 10);
    const ports = new Set(Array.from({ length: 10 }, (_, at) => clients.at(at).localPort));
    const requests = listener.synRequests();
    assert.deepEqual(new Set(requests.map(({ port }) => port)), ports);
    for (const { address, age, timer, retransmits } of requests) {
      assert.equal(address, "127.0.0.1");
      assert.equal(age, undefined, "of a deferred connection the kernel tells no age");
      assert.ok(timer >= 0 && retransmits >= 0);
    }
    await clients.send("data");
    await until(() => listener.acceptQueue === 10);
    assert.equal(listener.synQueue, 0);
    await clients.close();
  });

  it("tells a request's age until its SYN-ACK is sent again, and none then", async () => {
    const wire = await lab.wire();
    const plain = await lab.listen({});
    const [silent, eager] = [wire.peer(plain), wire.peer(plain)];
    for (const peer of [silent, eager]) peer.syn();
    const sent = native.now();
    const request = (peer: Peer) => plain.synRequests().find(({ address }) => address === peer.address)!;
    const told: number[] = [];
    await until(() => {
      const before = native.now() - sent;
      const { age, retransmits } = request(silent);
      const after = native.now() - sent;
      if (age === undefined) return retransmits === 1;
      // jiffies of 10 ms at most, one at each end; a timer is rounded up
      assert.ok(age >= before - 25 && age <= after + 25, `${age} ms, between ${before} and ${after}`);
      told.push(age);
      return false;
    });
    assert.ok(told.length > 0);
    const late = wire.peer(plain);
    late.syn();
    await until(() => request(late).age! > 300);
    late.syn(); // as a client that has lost the SYN-ACK
    await until(() => request(late).retransmits === 1);
    assert.equal(request(late).age, undefined);
    assert.ok(request(late).timer > 700, "the kernel has started its timer anew");
    await plain.close();
  });
});

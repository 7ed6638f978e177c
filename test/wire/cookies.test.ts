import assert from "node:assert/strict";
import { Lab } from "../../dist/front-door";
import type { Listener } from "../../dist/listener/listener";
import type { Peer } from "../../dist/wire/peer";
import type { Wire } from "../../dist/wire/wire";
import { until } from "../fixtures/waiting";

describe("the ACK that brings a SYN cookie back", () => {
  let lab: Lab;
  let listener: Listener;
  let wire: Wire;
  let peer: Peer;
  beforeEach(async () => {
    lab = await Lab.open({ sysctls: { "net.ipv4.tcp_syncookies": 2 } });
    listener = await lab.listen({ port: 8080, backlog: 8 });
    wire = await lab.wire();
    peer = wire.peer(listener);
    peer.syn();
    await peer.receive();
    assert.equal(listener.synQueue, 0, "nothing is remembered");
  });
  afterEach(() => lab.close());

  /** What one ACK does: to the counters, to the queue; and what the kernel says. */
  async function after(
    by: Peer,
    change: { acknowledgment: number; sequence: number },
  ): Promise<{ received: number; failed: number; connections: number; reset: boolean }> {
    const before = lab.counters();
    by.ack(change);
    const moved = () => {
      const since = lab.counters().since(before);
      return { received: since.get("TcpExt.SyncookiesRecv"), failed: since.get("TcpExt.SyncookiesFailed") };
    };
    await until(() => moved().received + moved().failed > 0, "the kernel counts the ACK");
    return { ...moved(), connections: listener.acceptQueue, reset: by.tryReceive()?.flags.rst ?? false };
  }
  const taken = { received: 1, failed: 0, connections: 1, reset: false };
  const refused = { received: 0, failed: 1, connections: 0, reset: true };
  const right = () => ({ sequence: peer.sequence, acknowledgment: peer.acknowledgment });

  it("makes a connection if it is as it was sent", async () => {
    assert.deepEqual(await after(peer, right()), taken);
  });

  it("is refused if it is one more, or if one bit of the cookie has changed", async () => {
    // 1460 is the last MSS of the kernel's table (msstab)
    assert.deepEqual(await after(peer, { ...right(), acknowledgment: (peer.acknowledgment + 1) >>> 0 }), refused);
    // but for the two lowest bits, which may lead to another MSS of the table
    for (let bit = 2; bit < 32; bit++) {
      // the number acknowledged is the cookie + 1
      const cookie = (peer.acknowledgment - 1) >>> 0;
      assert.deepEqual(
        await after(peer, { ...right(), acknowledgment: ((cookie ^ (1 << bit)) + 1) >>> 0 }),
        refused,
        `bit ${bit}`,
      );
    }
    assert.deepEqual(await after(peer, right()), taken, "and the right one is good still");
  });

  it("makes a connection with a smaller MSS if it is one less: the number in the cookie is the MSS's place in the table", async () => {
    assert.deepEqual(await after(peer, { ...right(), acknowledgment: (peer.acknowledgment - 1) >>> 0 }), taken);
    assert.ok(listener.tryAccept()!.info().sndMss < 1460);
  });

  it("is refused from another port, and from another address", async () => {
    assert.deepEqual(
      await after(wire.peer(listener, { address: peer.address, port: peer.port + 1 }), right()),
      refused,
    );
    assert.deepEqual(await after(wire.peer(listener, { address: "10.66.0.1", port: peer.port }), right()), refused);
    assert.deepEqual(await after(peer, right()), taken);
  });

  it("is refused with another sequence number", async () => {
    assert.deepEqual(await after(peer, { ...right(), sequence: (peer.sequence + 1000) >>> 0 }), refused);
  });
});

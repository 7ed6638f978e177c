import assert from "node:assert/strict";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { createServer } from "node:http";
import net from "node:net";
import { Lab, type LabError, InterruptedError, type Connection } from "../../dist/index";
import { native } from "../../dist/native";
import { sleep, until } from "../fixtures/waiting";

describe("accepting", () => {
  let lab: Lab;
  labOfSuite((opened) => (lab = opened), { wire: false });

  it("waits for a connection, or for its timeout, or for the listener's end", async () => {
    const listener = await lab.listen();
    await assert.rejects(listener.accept({ timeout: 30 }), (error: LabError) => error.code === "ETIMEDOUT");
    const waiting = listener.accept();
    const client = await lab.dial(listener);
    assert.equal((await waiting).remote.port, client.local.port);
    const abandoned = assert.rejects(listener.accept(), InterruptedError);
    await listener.close();
    await abandoned;
  });

  it("in a loop hands connections over in batches", async () => {
    const listener = await lab.listen({ backlog: 512 });
    const got: Connection[] = [];
    const loop = listener.acceptLoop({ onConnections: (batch) => void got.push(...batch) });
    const clients = await lab.connect(listener, { clients: 500 });
    await until(
      () => got.length === 500,
      () => `${got.length} connections`,
    );
    assert.equal(loop.accepted, 500);
    assert.deepEqual(new Set(got.map(({ remote }) => remote.port)).size, 500);
    assert.equal((await loop.stop()).running, false);
    await clients.close();
    await listener.close();
  });

  it("in a loop pauses, resumes, keeps a rate and a limit", async () => {
    const listener = await lab.listen({ backlog: 512 });
    const loop = listener.acceptLoop({ limit: 50, rate: 10_000 });
    loop.pause();
    await until(() => loop.stats().paused);
    const clients = await lab.connect(listener, { clients: 100 });
    await sleep(50); // a loop that is paused does nothing all this time
    assert.equal(loop.accepted, 0);
    assert.ok(loop.stats().paused);
    loop.resume();
    assert.equal((await loop.done).accepted, 50);
    assert.equal(loop.connections.length, 50);
    assert.equal(listener.acceptQueue, 50);
    // a slow loop against a fast one, in the same time
    const began = performance.now();
    const slow = listener.acceptLoop({ rate: 20 });
    await sleep(400); // a rate is a number per time
    const taken = slow.accepted;
    const elapsed = performance.now() - began;
    assert.ok(taken <= 5 + (20 * elapsed) / 1000, `20 per second took ${taken} in ${elapsed.toFixed(0)} ms`);
    slow.setRate(0);
    await until(() => listener.acceptQueue === 0);
    await slow.close();
    await clients.close();
    await listener.close();
  });

  it("in a loop whose handler fails: the loop ends and says so", async () => {
    const listener = await lab.listen();
    const loop = listener.acceptLoop({
      onConnections: () => {
        throw new Error("the handler's own");
      },
    });
    const failed = assert.rejects(loop.done, /the handler's own/);
    const clients = await lab.connect(listener, { clients: 3 });
    await failed;
    assert.equal((await loop.stop()).running, false);
    await clients.close();
    await listener.close();
  });

  it("by a node:net server keeps the backlog asked for", async () => {
    const server = net.createServer((socket) => socket.end("hello from node"));
    const listener = await lab.serve(server, { backlog: 33 });
    assert.equal(listener.acceptMax, 33);
    const socket = await lab.netConnect(listener);
    let said = "";
    for await (const part of socket) said += String(part);
    assert.equal(said, "hello from node");
    await new Promise((resolve) => server.close(resolve));
    await until(() => listener.closed);
  });

  it("by a node:http server, and the Lab closes it", async () => {
    const other = await Lab.open({ wire: false });
    const server = createServer((_, response) => response.end("over http"));
    const listener = await other.serve(server, { port: 8080, backlog: 7 });
    const connection = await other.dial(listener);
    await connection.write("GET / HTTP/1.0\r\n\r\n");
    assert.match(await connection.readText(), /over http$/);
    await other.close();
    await until(() => !server.listening);
  });
});

describe("a connection", () => {
  let lab: Lab;
  labOfSuite((opened) => (lab = opened), { wire: false });
  async function pair() {
    const listener = await lab.listen();
    const client = await lab.dial(listener);
    return { listener, client, server: await listener.accept() };
  }

  it("has a descriptor, a 4-tuple, and the inode that the kernel's table shows", async () => {
    const { listener, client, server } = await pair();
    assert.deepEqual(server.local, client.remote);
    assert.deepEqual(server.remote, client.local);
    const row = lab.sockets({ port: listener.port, states: ["ESTABLISHED"] })[0];
    assert.equal(row.inode, server.inode);
    assert.equal(server.info().state, 1);
  });

  it("carries a large transfer unharmed, both ends in this process", async () => {
    const { client, server } = await pair();
    const size = 20 << 20;
    const block = Buffer.alloc(
      1 << 20,
      Uint8Array.from({ length: 251 }, (_, at) => at),
    );
    const sending = (async () => {
      for (let sent = 0; sent < size; sent += block.length) await client.write(block);
      client.end();
    })();
    let received = 0;
    for (let part = await server.read(); part !== null; part = await server.read()) {
      for (let at = 0; at < part.length; at += 4093) assert.equal(part[at], block[(received + at) % block.length]);
      received += part.length;
    }
    await sending;
    assert.equal(received, size);
  });

  it("ends with null, resets with ECONNRESET, and says when it is closed", async () => {
    const one = await pair();
    await one.client.close();
    assert.equal(await one.server.read(), null);
    const two = await pair();
    two.client.reset();
    await assert.rejects(two.server.read(), (error: LabError) => error.code === "ECONNRESET");
    await two.client.close();
    for (const call of [() => two.client.read(), () => two.client.write("x")]) await assert.rejects(call, /closed/);
    assert.throws(() => two.client.fd, /closed/);
    await assert.rejects(one.server.read({ timeout: 10, size: 0 }), /size must be an integer/);
    const three = await pair();
    await assert.rejects(three.server.read({ timeout: 20 }), (error: LabError) => error.code === "ETIMEDOUT");
    const socket = three.client.toSocket();
    assert.throws(() => three.client.fd, /closed/);
    socket.destroy();
  });
});

describe("the addon, misused", () => {
  it("throws, and the process lives", () => {
    const wrong: (() => unknown)[] = [
      () => native.close(1e9),
      () => native.close(-1),
      () => native.close("3" as never),
      () => native.listen(2 ** 40, 1),
      () => native.bind(0, "nowhere", 1),
      () => native.bind(0, "127.0.0.1", 70000),
      () => native.tcpInfo(1e6),
      () => native.recv(0, "buffer" as never),
      () => native.diag(0, -1, 0),
      () => native.diag(1e6, 8, 0),
      () => native.poll(1e6, 1, 0),
      () => native.poll(0, 9, 0),
      () => native.poll(0, 1, -1),
      () => new native.Sampler({} as never),
      () => new native.Sampler({ listenerFd: -1, diagFd: -1, port: 80, hz: 0 }),
      () => new native.Sampler({ listenerFd: -1, diagFd: -1, port: 80, hz: 1e9 }),
      () => new native.ClientThread({ fds: [] } as never),
      () => new native.Acceptor({ listenerFd: 0, rate: -1 } as never),
      () => new native.Mirror({ packetFd: 0, ifindex: 0 } as never),
      () => native.closeLater([1] as never),
      () => native.hostRequest(0, "x" as never, 1),
      () => native.startHost("/no/such/program"),
      () => native.setsockopt(0, 1, 2, 0.5),
      () => (native.Sampler as unknown as () => void)(),
      () => native.Sampler.prototype.start.call({}),
      () => native.preadText(1e6),
      () => native.reap(-5, 0),
    ];
    for (const call of wrong)
      assert.throws(call, (error: Error) => error instanceof Error && error.message.length > 0, String(call));
  });

  it("keeps its threads to one life", async () => {
    const lab = await Lab.open({ wire: false });
    const listener = await lab.listen();
    const sampler = new native.Sampler({ listenerFd: listener.fd, diagFd: -1, port: listener.port, hz: 100 });
    sampler.start();
    assert.throws(() => sampler.start(), /already/);
    assert.throws(() => sampler.addClients({} as never), TypeError);
    await sampler.stop();
    await sampler.stop();
    assert.throws(() => sampler.start());
    assert.ok(sampler.take().queues.time.length > 0);
    const acceptor = new native.Acceptor({
      listenerFd: listener.fd,
      rate: 0,
      limit: 0,
      mode: "keep",
      onBatch: () => undefined,
    });
    acceptor.start();
    assert.throws(() => acceptor.start(), /already/);
    await Promise.all([acceptor.stop(), acceptor.stop()]);
    acceptor.resume();
    assert.throws(() => acceptor.start());
    const thread = new native.ClientThread({
      fds: await lab.host.sockets("tcp", 2),
      address: "127.0.0.1",
      port: listener.port,
      sources: [],
      rate: 0,
    });
    assert.throws(() => thread.release(2), RangeError);
    await thread.stop();
    await thread.stop();
    assert.deepEqual([...thread.fds()], [-1, -1]);
    assert.equal(await thread.send(null, new Uint8Array(1)), 0);
    await lab.close();
  });
});

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Clients, Lab, type Listener } from "../../dist/index";
import { native } from "../../dist/native";
import { owned } from "../../dist/lab/owned";
import { until } from "../fixtures/waiting";

interface Held {
  threads: number;
  descriptors: number;
  /** MiB */
  addressSpace: number;
  memory: number;
}

function held(): Held {
  const status = readFileSync("/proc/self/status", "utf8");
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) / 1024;
  return {
    threads: readdirSync("/proc/self/task").length,
    descriptors: readdirSync("/proc/self/fd").length,
    addressSpace: mebibytes("VmSize"),
    memory: mebibytes("VmRSS"),
  };
}

const mirrors = () => owned().filter((thing) => thing.constructor.name === "Mirror").length;

describe("a mirror ends with its clients", () => {
  let lab: Lab;
  let listener: Listener;
  beforeEach(async () => {
    lab = await Lab.open();
    listener = await lab.listen({ backlog: 4096 });
  });
  afterEach(() => lab.close());

  it("200 rounds leave threads, descriptors and memory where they were", async function () {
    this.timeout(120_000);
    const loop = listener.acceptLoop({ close: true });
    const round = async () => (await lab.connect(listener, { clients: 5, kind: "mirror", rtt: 1 })).close();
    for (let warm = 0; warm < 5; warm++) await round();
    const before = held();
    for (let turn = 0; turn < 200; turn++) await round();
    const after = held();
    assert.equal(loop.accepted, 5 * 205);
    assert.equal(mirrors(), 0);
    assert.ok(after.threads <= before.threads, `${before.threads} threads before, ${after.threads} after`);
    assert.ok(
      after.descriptors <= before.descriptors,
      `${before.descriptors} descriptors before, ${after.descriptors} after`,
    );
    // one ring has 16 MiB; the heap may breathe
    assert.ok(
      after.addressSpace < before.addressSpace + 64,
      `${before.addressSpace} MiB before, ${after.addressSpace} after`,
    );
    assert.ok(after.memory < before.memory + 32, `${before.memory} MiB before, ${after.memory} after`);
  });

  it("also when they cannot be started", async () => {
    const fds = native.descriptors().open;
    const attempts: [Parameters<Lab["connect"]>[1], RegExp][] = [
      [{ clients: 10_000_000 }, /file descriptor/],
      [{ clients: 0 }, /clients/],
      [{ clients: 2, schedule: [1] }, /schedule/],
      [{ clients: 2, schedule: [2, 1] }, /ascend/],
      [{ from: "nowhere" }, /IPv4/],
      [{ quiet: -1 }, /quiet/],
      [{ surprise: 1 } as never, /surprise/],
    ];
    for (const [options, message] of attempts) {
      await assert.rejects(lab.connect(listener, { kind: "mirror", rtt: 60_000, ...options }), message);
      assert.equal(mirrors(), 0);
      assert.equal(native.descriptors().open, fds);
    }
  });

  it("also when the Clients are closed while they still come", async () => {
    let coming: Clients | undefined;
    listener.once("clients", (clients) => {
      if (clients instanceof Clients) coming = clients;
    });
    const started = lab.connect(listener, { clients: 5, kind: "mirror", rtt: 2, rate: 1 });
    await (await until(() => coming)).close();
    // one who waits for them is told either that they are closed or that the wait was broken off
    const [outcome] = await Promise.allSettled([started]);
    assert.equal(
      outcome.status === "fulfilled" ? outcome.value : outcome.reason.name,
      outcome.status === "fulfilled" ? coming : "InterruptedError",
    );
    assert.equal(mirrors(), 0);
  });

  it("but not before the server has seen that they close", async () => {
    const clients = await lab.connect(listener, { clients: 20, kind: "mirror", rtt: 100 });
    const connections = listener.acceptAll();
    assert.equal(connections.length, 20);
    await clients.close();
    assert.equal(mirrors(), 0);
    for (const connection of connections) assert.equal(await connection.read({ timeout: 1000 }), null);
    // their FINs have been acknowledged: no client sends one again
    assert.deepEqual(lab.sockets({ states: ["FIN_WAIT1", "CLOSING", "LAST_ACK"] }), []);
  });

  it("nor while a client that was taken out is open", async () => {
    const clients = await lab.connect(listener, { clients: 2, kind: "mirror", rtt: 4 });
    const [server] = listener.acceptAll();
    const taken = clients.take(0);
    await clients.close();
    assert.equal(mirrors(), 1);
    await taken.write("still here");
    assert.equal(String(await server.read({ timeout: 1000 })), "still here");
    await taken.close();
    assert.equal(await server.read({ timeout: 1000 }), null);
    await until(() => mirrors() === 0);
  });

  it("in the background where the round trip is long, and with its Lab at once", async () => {
    const clients = await lab.connect(listener, { clients: 2, kind: "mirror", rtt: 3000, quiet: 0 });
    const start = native.now();
    await clients.close();
    assert.ok(native.now() - start < 5000, `close() took ${native.now() - start} ms`);
    assert.equal(mirrors(), 1);
    const ending = native.now();
    await lab.close();
    assert.ok(native.now() - ending < 1000, `the Lab took ${native.now() - ending} ms to close`);
    assert.equal(mirrors(), 0);
  });
});

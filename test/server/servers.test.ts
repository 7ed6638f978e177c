import assert from "node:assert/strict";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { sleep, until } from "../fixtures/waiting";
import { ArgumentError, type LabError, LimitError } from "../../dist/errors";
import { Lab } from "../../dist/front-door";
import { constant, poisson, spike, together } from "../../dist/listener/arrivals";
import { native } from "../../dist/native";
import { planHolding } from "../../dist/server/accept-workers";
import { blocking, handOff, limited, type Server, shedding, workers } from "../../dist/server/accept-loops";
import { serverNames } from "../../dist/server/installed";
import { skip } from "../fixtures/skip";

describe("arrivals", () => {
  it("are ascending moments in ms", () => {
    assert.deepEqual([...constant(4, 100)], [0, 10, 20, 30]);
    assert.deepEqual([...spike(2, 500, 10)], [500, 505]);
    assert.deepEqual([...together(constant(2, 1), spike(2, 500))], [0, 500, 500, 1000]);
    let draws = 0;
    assert.deepEqual(
      [...poisson(2, 1000, () => [0, 1 - Math.exp(-2)][draws++])].map((ms) => Math.round(ms * 1000) / 1000),
      [0, 2],
      "exponential distances",
    );
    const many = poisson(20_000, 100);
    assert.ok(many.every((time, at) => at === 0 || time >= many[at - 1]));
    assert.ok(Math.abs(many[19_999] / 200_000 - 1) < 0.05, "a mean of 10 ms");
  });

  it("refuse what cannot be", () => {
    assert.throws(() => constant(0, 1), ArgumentError);
    assert.throws(() => constant(1, 0), /rate/);
    assert.throws(() => poisson(1e9, 1), /count/);
    assert.throws(() => spike(1, -1), /at \(ms\)/);
    assert.throws(() => together(), ArgumentError);
  });
});

describe("accept loops", () => {
  let lab: Lab;
  labOfSuite((opened) => (lab = opened));

  it("several listeners of one port: each has a queue of its own and takes its part", async () => {
    const first = await lab.listen({ backlog: 100, reusePort: true });
    const listeners = [first, await lab.listen({ backlog: 100, reusePort: true, port: first.port })];
    const taken = listeners.map(() => 0);
    const running = listeners.map((listener, at) =>
      blocking(listener, async (connection) => {
        taken[at] += 1;
        await connection.close();
      }),
    );
    const clients = await lab.connect(first, { clients: 60 });
    await clients.until(({ closedByServer }) => closedByServer === 60, { timeout: 3000 });
    assert.equal(taken[0] + taken[1], 60);
    // that a fair hash gives all of 60 to one of two happens once in 2^59
    assert.ok(taken[0] > 0 && taken[1] > 0, taken.join(" and "));
    await clients.close();
    for (const listener of listeners) await listener.close();
    await Promise.all(running);
  });

  const run = async (server: Server, service: number) => {
    const listener = await lab.listen({ backlog: 100 });
    let inside = 0;
    let most = 0;
    let served = 0;
    const running = server(listener, async (connection) => {
      most = Math.max(most, ++inside);
      await sleep(service); // what one connection costs
      inside--;
      served++;
      await connection.close();
    });
    const recording = await lab.record(listener, { live: false, counters: [] });
    const clients = await lab.connect(listener, { clients: 40, schedule: constant(40, 1000), quiet: 50 });
    await clients.until(({ closedByServer }) => closedByServer === 40, { timeout: 3000 });
    const trace = await recording.stop();
    const times = clients.served();
    await clients.close();
    await listener.close();
    await running;
    return { most, served, peak: trace.summary().get("acceptQueue").max, times };
  };

  it("serve everybody, each in its way, and end with their listener", async () => {
    const slow = await run(blocking, 5);
    assert.deepEqual([slow.most, slow.served], [1, 40]);
    const fast = await run(handOff, 50);
    assert.ok(fast.most > 20 && fast.served === 40);
    assert.ok(fast.peak < slow.peak, `the fast loop's queue is the shorter one: ${fast.peak} and ${slow.peak}`);
    const few = await run(workers(4), 10);
    assert.deepEqual([few.most, few.served], [4, 40]);
    const semaphore = await run(limited(5), 10);
    assert.deepEqual([semaphore.most, semaphore.served], [5, 40]);
    const shed = await run(shedding(5), 50);
    assert.ok(shed.most <= 5 && shed.served < 40);
    assert.ok(
      shed.times.every((ms) => !Number.isNaN(ms)),
      "who is not served is closed",
    );
  });

  it("a handler that throws ends its own connection, and the others are served", async () => {
    const listener = await lab.listen();
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    const running = handOff(listener, async (connection) => {
      if (warned++ === 0) throw new Error("what a handler does wrong");
      await connection.write("done");
      await connection.close();
    });
    let warned = 0;
    const clients = await lab.connect(listener, { clients: 5 });
    assert.ok(await clients.until(({ closedByServer }) => closedByServer === 5, { timeout: 5000 }));
    assert.equal(
      Array.from({ length: 5 }, (_, at) => clients.at(at).bytesReceived).filter((bytes) => bytes === 4).length,
      4,
    );
    await listener.close();
    await running;
    await until(() => warnings.some(({ message }) => /what a handler does wrong/.test(message)), "a warning");
    process.off("warning", note);
  });

  it("latencies count from when a client was to come", async () => {
    const { times } = await run(blocking, 5);
    assert.ok(times[39] > times[0] + 40, "the last waits for those before it");
  });

  it("several accept() of one listener wait at once, and give up each in its time", async () => {
    const listener = await lab.listen();
    const patient = Promise.all([listener.accept(), listener.accept({ timeout: 20_000 })]);
    const impatient = [listener.accept({ timeout: 40 }), listener.accept({ timeout: 40 })];
    // no client has come yet: they end although the other two still wait
    for (const late of impatient) await assert.rejects(late, { code: "ETIMEDOUT" });
    await lab.connect(listener, { clients: 2 });
    const [one, two] = await patient;
    assert.notEqual(one.fd, two.fd);
    await listener.close();
  });
});

describe("real servers in a Lab", () => {
  for (const name of serverNames) {
    it(`${name}: its backlog, and its queue from outside`, async function () {
      this.timeout(90_000);
      const lab = await Lab.open({ wire: false });
      try {
        let server;
        try {
          server = await lab.startServer(name, { port: 9000 });
        } catch (error) {
          if ((error as LabError).code === "ENOENT") skip(this, (error as LabError).message);
          throw error;
        }
        assert.ok(server.backlog > 0);
        const recording = await lab.record(9000, { live: false });
        await lab.connect(9000, { clients: 3 });
        const trace = await recording.stop();
        assert.equal(trace.meta.listener.backlog, server.backlog);
        assert.equal(trace.summary().get("acceptMax").last, server.backlog);
        const client = await lab.dial(9000);
        await client.write("GET / HTTP/1.0\r\n\r\n");
        assert.match(String(await client.read({ timeout: 5000 })), /^HTTP\/1/);
        const rows = await lab.checklist(9000, { pid: server.program.pid });
        assert.equal(rows.find(({ check }) => check === "backlog")!.verdict, server.backlog < 128 ? "bad" : "good");
        assert.match(rows.find(({ check }) => check === "descriptors")!.found, /limit [\d,]+, \d+ open/);
        await server.close();
      } finally {
        await lab.close();
      }
    });
  }

  it("a server that listens on :: is seen, with the connections of its IPv4 clients", async () => {
    const lab = await Lab.open({ wire: false });
    try {
      const program = await lab.spawn(process.execPath, [
        "-e",
        'const sockets = []; require("net").createServer((socket) => sockets.push(socket)).listen({ port: 9000, host: "::", backlog: 33 }, () => console.log("listens"))',
      ]);
      await new Promise((resolve) => program.stdout.once("data", resolve));
      const recording = await lab.record(9000, { live: false });
      await lab.connect(9000, { clients: 3 });
      const accepted = () => lab.sockets({ port: 9000, states: ["ESTABLISHED"] }).filter(({ inode }) => inode > 0);
      await until(() => accepted().length >= 3, "three connections");
      assert.deepEqual(
        accepted().map(({ local, remote }) => [local.address, remote.address]),
        Array(3).fill(["::ffff:127.0.0.1", "::ffff:127.0.0.1"]),
      );
      assert.equal((await recording.stop()).summary().get("acceptMax").last, 33);
      assert.equal(lab.sockets({ port: 9000, states: ["LISTEN"] })[0].local.address, "::");
      assert.equal((await lab.checklist(9000)).find(({ check }) => check === "backlog")!.verdict, "bad");
      await assert.rejects(
        lab.startServer("node http", { port: 9000 }),
        (error: Error) =>
          error instanceof ArgumentError && error.message === "A socket already listens on port 9000 of this Lab.",
      );
    } finally {
      await lab.close();
    }
  });

  it("says what there is, and that nobody listens", async () => {
    const lab = await Lab.open({ wire: false });
    try {
      await assert.rejects(
        lab.startServer("apache" as never),
        (error: Error) => error instanceof ArgumentError && error.message === 'There is no server "apache".',
      );
      await assert.rejects(
        lab.record(4711, { live: false }),
        (error: Error) =>
          error instanceof ArgumentError && error.message === "No socket listens on port 4711 in this Lab.",
      );
      await assert.rejects(lab.checklist(4711), ArgumentError);
    } finally {
      await lab.close();
    }
  });
});

describe("processes that hold connections", () => {
  it("take more than one process could, and give everything back", async function () {
    this.timeout(60_000);
    const lab = await Lab.open({ hashBuckets: 65_536 });
    try {
      const listener = await lab.listen({ backlog: 4096 });
      const { hard } = native.descriptors();
      const count = Math.min(hard + 1000, planHolding(100_000).connections, 30_000);
      const holders = await lab.hold(listener, { connections: count });
      const ghosts = await lab.ghosts(listener, { count, rate: 40_000 });
      assert.ok(await holders.until(count, { timeout: 30_000 }), `${holders.accepted} of ${count}`);
      assert.equal(holders.plan.processes, Math.ceil(count / (hard - 20)));
      assert.equal(listener.acceptQueue, 0);
      await holders.close();
      await holders.close();
      const ended = () => ghosts.counts().closedByServer + ghosts.counts().reset;
      await until(
        () => ended() >= count,
        () => `${ended()} of ${count} ended`,
        10_000,
      );
      assert.equal(ghosts.counts().established, 0, "their connections have ended with them");
    } finally {
      await lab.close();
    }
  });

  it("say what this machine can hold before anything starts", async () => {
    const plan = planHolding(100_000_000);
    assert.ok(plan.connections < 100_000_000 && plan.because.length > 10);
    assert.equal(plan.processes, Math.ceil(plan.connections / (plan.descriptorsEach - 20)));
    assert.equal(planHolding(100).because, "");
    assert.throws(() => planHolding(0), ArgumentError);
    const lab = await Lab.open({ wire: false });
    try {
      const listener = await lab.listen();
      await assert.rejects(
        lab.hold(listener, { connections: 100_000_000 }),
        (error: Error) => error instanceof LimitError && /planHolding/.test(error.hint ?? ""),
      );
      await assert.rejects(lab.hold(listener, {} as never), ArgumentError);
    } finally {
      await lab.close();
    }
  });
});

import assert from "node:assert/strict";
import { ArgumentError, InterruptedError, LimitError } from "../../dist/errors";
import { Lab } from "../../dist/front-door";
import { kernelMemory } from "../../dist/lab/memory";
import { skip } from "../fixtures/skip";
import { sleep, until } from "../fixtures/waiting";

describe("ghost clients", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await Lab.open();
  });
  afterEach(() => lab.close());

  it("complete handshakes without a socket of theirs", async () => {
    const listener = await lab.listen({ backlog: 2000 });
    const ghosts = await lab.ghosts(listener, { count: 1000, mss: 1000, windowScale: 4, sack: true, timestamps: true });
    assert.deepEqual(await ghosts.finished(), {
      sent: 1000,
      answered: 1000,
      refused: 0,
      unanswered: 0,
      established: 1000,
      reset: 0,
      closedByServer: 0,
      repeated: 0,
    });
    assert.equal(listener.acceptQueue, 1000);
    const connections = listener.acceptAll({ limit: 500 });
    assert.equal(
      new Set(connections.map(({ remote }) => `${remote.address}:${remote.port}`)).size,
      500,
      "addresses of their own",
    );
    const info = connections[0].info();
    assert.deepEqual([info.options & 7, info.sndWscale], [7, 4]);
    // a ghost acknowledges data, and answers a FIN with RST
    await connections[0].write("hello");
    await until(() => connections[0].info().unacked === 0, "the ghost acknowledges the data");
    for (const connection of connections) await connection.close();
    await until(() => ghosts.counts().closedByServer === 500, "500 ghosts get a FIN");
    assert.equal(lab.sockets({ port: listener.port }).filter(({ state }) => state !== "LISTEN").length, 500);
    await ghosts.reset();
    assert.equal(ghosts.counts().established, 0);
    await assert.rejects(listener.tryAccept()!.read({ timeout: 500 }), { code: "ECONNRESET" });
  });

  it("flood with SYNs only: the SYN queue fills, and stays full", async () => {
    await lab.sysctl.set({ "net.ipv4.tcp_syncookies": 0, "net.ipv4.tcp_max_syn_backlog": 4096 });
    const listener = await lab.listen({ backlog: 100 });
    const flood = await lab.flood(listener, { count: 5000 });
    const { sent, answered, unanswered, established } = await flood.finished();
    assert.deepEqual([sent, established], [5000, 0]);
    assert.equal(answered, listener.synQueue, "who was answered is in the queue");
    assert.equal(answered + unanswered, 5000);
    assert.ok(listener.synQueue >= 100 && listener.synQueue <= 101);
    assert.equal(listener.acceptQueue, 0);
    await flood.reset();
    assert.equal(listener.synQueue, 0, "RST takes requests away");
  });

  it("send ACKs that nobody asked for", async () => {
    const listener = await lab.listen({ backlog: 100 });
    await lab.sysctl.set({ "net.ipv4.tcp_syncookies": 2 });
    // a listener that has sent no cookie of late looks for none (tcp_synq_no_recent_overflow)
    await (await lab.flood(listener, { count: 1 })).finished();
    const before = lab.counters();
    const ghosts = await lab.ghosts(listener, { count: 2000, segments: "ack" });
    const { refused } = await ghosts.finished();
    assert.equal(refused, 2000, "each is answered by RST");
    assert.equal(lab.counters().since(before).get("TcpExt.SyncookiesFailed"), 2000);
    assert.equal(listener.acceptQueue, 0);
  });

  it("come at the rate asked for, and stop when told to", async () => {
    const listener = await lab.listen({ backlog: 5000 });
    // never early; and on time at least once in five times on a busy machine
    for (let round = 1; ; round++) {
      const steady = await lab.ghosts(listener, { count: 500, rate: 1000 });
      await steady.finished();
      assert.ok(steady.sendingTime > 399, `${steady.sendingTime} ms for 499 intervals of 1 ms`);
      if (steady.sendingTime < 599) break;
      assert.ok(round < 5, `${steady.sendingTime} ms for 499 intervals of 1 ms`);
    }
    const slow = await lab.ghosts(listener, { count: 1_000_000, rate: 100 });
    const waiting = slow.finished();
    await until(() => slow.counts().sent > 0);
    await Promise.all([slow.close(), assert.rejects(waiting, InterruptedError)]);
    const sent = slow.counts().sent;
    assert.ok(sent > 0 && sent < 100);
    await sleep(50); // five more would come in this time
    assert.equal(slow.counts().sent, sent, "closed is closed");
    await slow.close();
    await assert.rejects(slow.reset(), InterruptedError);
  });

  it("use every address of a small network, and then other ports", async () => {
    const listener = await lab.listen({ backlog: 5000 });
    await (await lab.ghosts(listener, { count: 1000, from: "10.128.5.0/28" })).finished();
    const remotes = lab.sockets({ port: listener.port, states: ["ESTABLISHED"] }).map(({ remote }) => remote);
    assert.equal(new Set(remotes.map(({ address }) => address)).size, 16);
    assert.equal(new Set(remotes.map(({ address, port }) => `${address}:${port}`)).size, 1000);
  });

  it("two groups of one Lab do not meet", async () => {
    const listener = await lab.listen({ backlog: 5000 });
    const groups = await Promise.all([lab.ghosts(listener, { count: 700 }), lab.ghosts(listener, { count: 800 })]);
    for (const group of groups) assert.equal((await group.finished()).established, group.length);
    assert.equal(listener.acceptQueue, 1500);
  });

  it("are seen by recordings, with what the flood has cost", async () => {
    const listener = await lab.listen({ backlog: 100 });
    const recording = await lab.record(listener, { live: false, counters: ["TcpExt.SyncookiesSent", "meminfo.Slab"] });
    await (await lab.flood(listener, { count: 20_000 })).finished();
    const trace = await recording.stop();
    const longest = trace.summary().get("synQueue").max;
    // one more where both processors look at the queue's length at once
    assert.ok(longest === 101 || longest === 102, String(longest));
    assert.equal(trace.summary().get("TcpExt.SyncookiesSent").max, 20_000 - longest);
    assert.ok(trace.summary().get("meminfo.Slab").min > 1000, "kB");
    assert.ok(trace.events.some(({ detail }) => detail === "20,000 SYNs"));
  });

  it("have no target but a listener of their own Lab, and no flood without an end", async () => {
    const listener = await lab.listen();
    const refuses = (action: Promise<unknown>, pattern: RegExp) =>
      assert.rejects(action, (error: Error) => error instanceof ArgumentError && pattern.test(error.message));
    await refuses(lab.flood(listener, {} as never), /need a count/);
    await refuses(lab.flood(listener, undefined as never), /need a count/);
    await refuses(lab.flood(listener, { count: Infinity }), /count/);
    await refuses(lab.flood(listener, { count: 1e12 }), /count/);
    await refuses(lab.flood(listener, { count: 10, segments: "ack" } as never), /flood is of SYNs/);
    await refuses(lab.ghosts(listener, { count: 10, segments: "udp" as never }), /cannot send "udp"/);
    await refuses(lab.ghosts(listener, { count: 10, from: "8.8.8.0/24" }), /8\.8\.8\.0\/24 is outside/);
    await refuses(lab.ghosts(listener, { count: 10, from: "nowhere" }), /must be a network/);
    await refuses(
      lab.ghosts(listener, { count: 100_000_000, from: "10.128.0.0/30" }),
      /does not have enough addresses for 100,000,000 ghosts/,
    );
    await refuses(lab.ghosts(listener, { count: 10, target: "10.0.0.1" } as never), /no option "target"/);
    await refuses(lab.ghosts(listener, { count: 10, rate: -1 }), /rate/);
    await refuses(lab.ghosts(listener, { count: 10, sack: 1 as never }), /sack must be true or false/);
    const other = await Lab.open({ wire: false });
    try {
      await refuses(lab.flood(await other.listen(), { count: 10 }), /in another Lab/);
      await assert.rejects(other.flood(8080, { count: 10 }), { code: "ENODEV" });
    } finally {
      await other.close();
    }
  });

  it("are refused where they would be larger than the machine", async function () {
    const most = 100_000_000;
    const { available } = kernelMemory();
    if (available > most * 3000) skip(this, "this machine could hold them");
    await assert.rejects(
      lab.ghosts(await lab.listen(), { count: most }),
      (error: Error) =>
        error instanceof LimitError && /MiB are free[^]*Ask for [\d,]+ at most/.test(`${error.message} ${error.hint}`),
    );
  });

  it("leave the Lab's network only by a link that ends in the Lab: there is no route out", async () => {
    const { stdout } = await (await lab.spawn("ip", ["-4", "route"])).output();
    assert.doesNotMatch(stdout, /default/);
    assert.match(stdout, /10\.0\.0\.0\/8 via 10\.0\.0\.2 dev wire0/);
  });

  it("end with their Lab", async () => {
    const listener = await lab.listen();
    const flood = await lab.flood(listener, { count: 1_000_000, rate: 1000 });
    const waiting = flood.finished();
    await Promise.all([lab.close(), assert.rejects(waiting, InterruptedError)]);
  });
});

import { strict as assert } from "node:assert";
import { constants } from "node:os";
import { LabHost } from "../../dist/lab/host";
import {
  ClientState,
  type ClientThread,
  native,
  type Sampler,
  type SamplerOptions,
  type SamplerRows,
} from "../../dist/native";
import { sleep, until } from "../fixtures/waiting";
import { connecting, type Listening, listening, tcpDeferAccept } from "./listening";
import { Sampled } from "./sampled";

const soMark = 36;
const files = ["/proc/net/netstat", "/proc/net/snmp", "/proc/net/sockstat"];

describe("Sampler", () => {
  let host: LabHost;
  let listener: Listening;
  let diagFd: number;
  let open: number[];
  let samplers: Sampler[];
  let counterFds: { netstatFd: number; snmpFd: number; sockstatFd: number };

  before(async () => {
    host = await LabHost.open({ wire: false });
    const [netstatFd, snmpFd, sockstatFd] = await Promise.all(files.map((file) => host.file(file, "r")));
    counterFds = { netstatFd, snmpFd, sockstatFd };
  });
  after(async () => {
    for (const fd of Object.values(counterFds)) native.close(fd);
    await host.close();
  });
  beforeEach(async () => {
    listener = await listening(host, { backlog: 50 });
    [diagFd] = await host.sockets("diag", 1);
    open = [listener.fd, diagFd];
    samplers = [];
  });
  afterEach(async () => {
    await Promise.all(samplers.map((sampler) => sampler.stop()));
    await native.closeLater(Int32Array.from(open));
  });

  const make = (options: Partial<SamplerOptions> = {}) => {
    const sampler = new native.Sampler({ listenerFd: listener.fd, diagFd, port: listener.port, hz: 1000, ...options });
    samplers.push(sampler);
    return sampler;
  };
  const started = (options: Partial<SamplerOptions> = {}) => {
    const sampler = make(options);
    sampler.start();
    return new Sampled(sampler);
  };
  const connect = async (count: number, port = listener.port) => {
    const fds = await connecting(host, port, count);
    open.push(...fds);
    return fds;
  };
  const seesRequests = (sampler: Sampled, count: number) =>
    until(() => sampler.take().queues.synQueue.at(-1) === count, `${count} requests`);
  const ascending = (time: Float64Array) => time.every((ms, at) => ms >= 0 && (at === 0 || ms >= time[at - 1]));

  it("stores the first state and the last, and nothing while nothing changes", async () => {
    const before = native.now();
    const sampler = started();
    assert.ok(sampler.sampler.startedAt >= before && sampler.sampler.startedAt <= native.now());
    await sampler.samples(300);
    const rows = await sampler.stop();
    const elapsed = native.now() - before;
    assert.equal(rows.error, 0);
    assert.equal(rows.queues.time.length, 2);
    assert.deepEqual([...rows.queues.acceptMax], [50, 50]);
    assert.deepEqual(
      [...rows.queues.acceptQueue, ...rows.queues.synQueue, ...rows.queues.accepted],
      [0, 0, 0, 0, 0, 0],
    );
    const [first, last] = rows.queues.time;
    assert.ok(first >= 0 && last > first + 250 && last <= elapsed, `rows at ${first} and ${last} of ${elapsed} ms`);
    assert.ok(
      rows.samples >= 300 && rows.samples + rows.missed < elapsed + 10,
      `${rows.samples} samples, ${rows.missed} missed in ${elapsed} ms`,
    );
    assert.ok(rows.cpu > 0 && rows.cpu < elapsed);
  });

  it("sees the accept queue grow and shrink", async () => {
    const sampler = started();
    await sampler.samples();
    await connect(10);
    await sampler.samples();
    const taken = native.acceptAll(listener.fd, 4);
    open.push(...taken);
    await sampler.samples();
    native.listen(listener.fd, 7);
    await sampler.samples();
    const { queues } = await sampler.stop();
    assert.ok(ascending(queues.time));
    assert.equal(queues.acceptQueue[0], 0);
    assert.equal(Math.max(...queues.acceptQueue), 10);
    assert.equal(queues.acceptQueue.at(-1), 6);
    assert.deepEqual([queues.acceptMax[0], queues.acceptMax.at(-1)], [50, 7]);
    for (let at = 1; at < queues.time.length - 1; at++) {
      const same = (["acceptQueue", "acceptMax", "synQueue", "accepted"] as const).every(
        (name) => queues[name][at] === queues[name][at - 1],
      );
      assert.ok(!same, `row ${at} repeats the one before`);
    }
  });

  it("sees the SYN queue of its own listener alone", async () => {
    const deferring = await listening(host, { deferAccept: 10 });
    open.push(deferring.fd);
    const sampler = started({ listenerFd: deferring.fd, port: deferring.port });
    const [otherDiag] = await host.sockets("diag", 1);
    open.push(otherDiag);
    const other = started({ diagFd: otherDiag });
    const clients = await connect(6, deferring.port);
    await seesRequests(sampler, 6);
    native.send(clients[0], new Uint8Array(1));
    await seesRequests(sampler, 5);
    const { queues, error } = await sampler.stop();
    assert.equal(error, 0);
    assert.equal(Math.max(...queues.synQueue), 6);
    assert.deepEqual([queues.synQueue.at(-1), queues.acceptQueue.at(-1)], [5, 1]);
    assert.ok((await other.stop()).queues.synQueue.every((length) => length === 0));
  });

  it("reads the listener by its port where it has no descriptor", async () => {
    const sampler = started({ listenerFd: -1 });
    await connect(8);
    const { queues, error } = await sampler.stop();
    assert.deepEqual([error, queues.acceptQueue.at(-1), queues.acceptMax.at(-1)], [0, 8, 50]);
  });

  it("counts the SYN queue as seldom as its share of a core wants, and the accept queue with every sample all the same", async () => {
    const deferring = await listening(host, { deferAccept: 10 });
    open.push(deferring.fd);
    // a ten-thousandth of a core: each count of some microseconds is followed by a pause of many milliseconds
    const sampler = started({ listenerFd: deferring.fd, port: deferring.port, synQueueShare: 0.0001, hz: 1000 });
    await sampler.samples();
    const clients: number[] = [];
    for (let at = 0; at < 100; at++) {
      const [client] = await connect(1, deferring.port);
      native.send(client, new Uint8Array(1));
      clients.push(client);
      await sampler.samples();
    }
    await connect(5, deferring.port);
    const { queues, error } = await sampler.stop();
    assert.equal(error, 0);
    assert.equal(new Set(queues.acceptQueue).size, 101, "every length of the accept queue was seen");
    const changes = queues.synQueue.filter((length, at) => at > 0 && length !== queues.synQueue[at - 1]).length;
    // a count of the SYN queue takes 1 us at least, so the pause after it 10 ms
    const elapsed = queues.time.at(-1)!;
    assert.ok(changes <= elapsed / 10 + 2, `${changes} changes of the SYN queue seen in ${elapsed.toFixed(0)} ms`);
    assert.equal(queues.synQueue.at(-1), 5, "the last sample counts it, whatever its share");
    for (const synQueueShare of [0, -1, 1.1, NaN]) assert.throws(() => make({ synQueueShare }), RangeError);
  });

  it("counts the requests that have the listener's mark, or its address, among those of the port", async () => {
    const bound = async (address: string, port: number, mark: number) => {
      const [fd] = await host.sockets("tcp", 1);
      open.push(fd);
      native.setsockopt(fd, 6, tcpDeferAccept, 10);
      native.setsockopt(fd, 1, soMark, mark);
      native.bind(fd, address, port);
      native.listen(fd, 50);
      return native.getsockname(fd).port;
    };
    const port = await bound("127.0.0.1", 0, 7);
    await bound("127.0.0.2", port, -1);
    const diagFds = await host.sockets("diag", 6);
    open.push(...diagFds);
    const ways: [Partial<SamplerOptions>, number][] = [
      [{}, 5],
      [{ mark: 7 }, 2],
      [{ mark: 0xffff_ffff }, 3],
      [{ mark: 8 }, 0],
      [{ address: "127.0.0.2" }, 3],
      [{ address: "127.0.0.1", mark: 0 }, 2],
    ];
    const running = ways.map(([options], at) => started({ listenerFd: -1, diagFd: diagFds[at], port, ...options }));
    for (const [address, count] of [
      ["127.0.0.1", 2],
      ["127.0.0.2", 3],
    ] as const) {
      const fds = await host.sockets("tcp", count);
      open.push(...fds);
      for (const fd of fds) native.connect(fd, address, port);
    }
    for (const [at, sampler] of running.entries()) {
      const { queues, error } = await sampler.stop();
      assert.deepEqual([error, queues.synQueue.at(-1)], [0, ways[at][1]], JSON.stringify(ways[at][0]));
    }
    const rows = native.diag(diagFd, 1 << 12, port);
    assert.deepEqual([...rows.mark].sort(), [7, 7, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff].sort());
    assert.ok(rows.request.every((each) => each === 1));
    const counts = [0, 7, 0xffff_ffff, 8].map((mark) => native.requestCount(diagFd, port, mark));
    assert.deepEqual(counts, [5, 2, 3, 0]);
  });

  it("by an address it has the listeners that are bound to it alone", async () => {
    const other = await listening(host, { address: "127.0.0.2", backlog: 3 });
    open.push(other.fd);
    const { queues } = await started({ listenerFd: -1, port: other.port, address: "127.0.0.2" }).stop();
    assert.equal(queues.acceptMax.at(-1), 3);
    for (const address of ["127.0.0.1", "0.0.0.0", "::", "::ffff:127.0.0.2"]) {
      const none = started({ listenerFd: -1, port: other.port, address, ipv6: true });
      await until(() => none.take().error === constants.errno.ENOENT, `ENOENT for ${address}`);
      await none.stop();
    }
    for (const address of ["", "localhost", "127.0.0", "::g"]) assert.throws(() => make({ address }), RangeError);
    for (const mark of [-1, 2 ** 32, 0.5]) assert.throws(() => make({ mark }), RangeError);
    assert.throws(() => make({ address: 5 as never }), TypeError);
  });

  it("leaves the SYN queue out where it has no sock_diag socket", async () => {
    const deferring = await listening(host, { deferAccept: 10 });
    open.push(deferring.fd);
    const sampler = started({ listenerFd: deferring.fd, port: deferring.port, diagFd: -1 });
    await connect(3, deferring.port);
    await sampler.samples();
    const { queues, error } = await sampler.stop();
    assert.equal(error, 0);
    assert.ok(queues.synQueue.every((length) => length === 0));
  });

  it("tells the increase of counters, and the value of gauges", async () => {
    await connect(5);
    const names = ["Tcp.PassiveOpens", "TcpExt.ListenOverflows", "sockstat.TCP.inuse", "Tcp.ActiveOpens"];
    const tight = await listening(host, { backlog: 0 });
    open.push(tight.fd);
    const inUse = Number(/^TCP: inuse (\d+)/m.exec(native.preadText(counterFds.sockstatFd))![1]);
    const sampler = started({ port: tight.port, listenerFd: tight.fd, counters: { ...counterFds, hz: 200, names } });
    await until(() => sampler.take().counters.time.length > 0, "a first reading of the counters");
    await connect(4, tight.port); // one is queued, three meet a full queue
    const { counters } = await sampler.stop();
    assert.equal(counters.columns.length, 4);
    assert.ok(ascending(counters.time));
    assert.deepEqual(
      counters.columns.map((column) => column[0]),
      [0, 0, inUse, 0],
    );
    const [passive, overflows, gauge, active] = counters.columns.map((column) => column.at(-1));
    assert.deepEqual([passive, overflows, active], [1, 3, 4]);
    assert.ok(gauge! >= inUse + 4, `${gauge} sockets in use after ${inUse}`);
    for (let at = 1; at < counters.time.length - 1; at++)
      assert.ok(
        counters.columns.some((column) => column[at] !== column[at - 1]),
        `row ${at} repeats the one before`,
      );
  });

  it("refuses unknown counters at start()", () => {
    for (const name of [
      "TcpExt.NoSuchThing",
      "ListenDrops",
      "Tcp.ListenDrops",
      "sockstat.TCP.nothing",
      "",
      ".",
      "TcpExt.",
      "sockstat.TCP.5",
    ]) {
      const sampler = make({ counters: { ...counterFds, hz: 10, names: ["TcpExt.ListenDrops", name] } });
      assert.throws(() => sampler.start(), RangeError, name);
    }
    const without = make({ counters: { ...counterFds, netstatFd: -1, hz: 10, names: ["TcpExt.ListenDrops"] } });
    assert.throws(() => without.start(), RangeError);
  });

  it("sums the states of clients and what acceptors took", async () => {
    const sampler = started();
    await sampler.samples(15); // 15 ms at least
    const threads: ClientThread[] = [];
    for (const port of [listener.port, 1]) {
      const fds = await host.sockets("tcp", 20);
      const thread = new native.ClientThread({ fds, address: "127.0.0.1", port, sources: [], rate: 0 });
      sampler.sampler.addClients(thread);
      thread.start();
      threads.push(thread);
    }
    const loop = new native.Acceptor({
      listenerFd: listener.fd,
      rate: 0,
      limit: 15,
      mode: "close",
      onBatch: () => undefined,
    });
    sampler.sampler.addAcceptor(loop);
    await until(
      () => threads[0].counts()[ClientState.established] === 20 && threads[1].counts()[ClientState.refused] === 20,
      "all answers",
    );
    await sampler.samples();
    loop.start();
    await until(() => threads[0].counts()[ClientState.closedByServer] === 15, "15 closed by the server");
    await loop.stop();
    const { clients, queues } = await sampler.stop();
    assert.equal(clients.columns.length, 9);
    assert.ok(ascending(clients.time));
    assert.ok(clients.time[0] >= 15, "from the moment they were added");
    const last = clients.columns.map((column) => column.at(-1));
    assert.deepEqual(last, [0, 0, 5, 20, 0, 0, 15, 0, 0]);
    assert.equal(Math.max(...clients.columns[ClientState.established]), 20);
    assert.equal(queues.accepted.at(-1), 15);
    await Promise.all(threads.map((thread) => thread.stop()));
  });

  it("has no client rows without clients", async () => {
    const sampler = started();
    await sampler.samples();
    const { clients } = await sampler.stop();
    assert.deepEqual([clients.time.length, clients.columns.length], [0, 9]);
  });

  it("gives its rows in parts that fit together without loss", async () => {
    const { sampler } = started({ hz: 5000 });
    const parts: SamplerRows[] = [];
    for (let at = 0; at < 40; at++) {
      await connect(1);
      parts.push(sampler.take());
      // of two samples more, one began after the arrival
      const wanted = parts.at(-1)!.samples + 2;
      await until(() => parts.push(sampler.take()) > 0 && parts.at(-1)!.samples >= wanted, "two samples");
    }
    await sampler.stop();
    parts.push(sampler.take());
    assert.equal(sampler.take().queues.time.length, 0, "nothing twice");
    const queue = parts.flatMap((part) => [...part.queues.acceptQueue]);
    const time = Float64Array.from(parts.flatMap((part) => [...part.queues.time]));
    assert.ok(ascending(time));
    assert.ok(queue.every((length, at) => at === 0 || length >= queue[at - 1]));
    assert.equal(queue.at(-1), 40);
    assert.equal(new Set(queue).size, 41, "every arrival is seen alone");
  });

  it("samples at 10 kHz, and counts each tick as a sample or as missed", async () => {
    const { sampler } = started({ hz: 10_000 });
    let counted = 0;
    // each time it has caught up with the clock, none is lost and none is counted twice, however late its thread was
    for (const wanted of [1000, 2000, 3000]) {
      let due = 0;
      await until(
        () => {
          const { samples, missed } = sampler.take();
          due = (native.now() - sampler.startedAt) * 10;
          assert.ok(samples + missed >= counted && samples + missed <= due + 1, `${samples} + ${missed} of ${due}`);
          counted = samples + missed;
          return samples >= wanted && due - counted <= 20;
        },
        () => `${counted} of ${due.toFixed(0)} ticks`,
        20_000,
      );
    }
    await sampler.stop();
  });

  it("ends with an error when its listener is closed or listens no more", async () => {
    const doomed = await listening(host);
    const sampler = started({ listenerFd: doomed.fd, port: doomed.port });
    await sampler.samples();
    native.close(doomed.fd);
    await until(() => sampler.take().error === constants.errno.EBADF, "EBADF");
    const again = started();
    await again.samples();
    native.shutdown(listener.fd, 2);
    let rows: SamplerRows | undefined;
    await until(() => (rows = again.take()).error !== 0, "the end");
    const { samples } = rows!;
    await sleep(20); // time in which nothing may happen: it would take 20 samples
    assert.equal(again.take().samples, samples, "it samples no more");
    assert.ok(rows!.errorSyscall.length > 0);
    await again.stop();
  });

  it("ends with an error when there is no such listener, by its port", async () => {
    const sampler = started({ listenerFd: -1, port: 1 });
    await until(() => sampler.take().error !== 0, "the end");
  });

  it("may be stopped twice and before its start; not started twice", async () => {
    const unused = make();
    const stopping = unused.stop();
    assert.throws(() => unused.start(), Error);
    assert.equal(unused.take().samples, 0);
    await stopping;
    const { sampler } = started();
    assert.throws(() => sampler.start(), /start/);
    await Promise.all([sampler.stop(), sampler.stop()]);
    await sampler.stop();
    assert.throws(() => sampler.start(), Error);
  });

  it("refuses wrong options, strangers and a wrong this", async () => {
    for (const hz of [0, -1, 10_001, NaN, Infinity]) assert.throws(() => make({ hz }), RangeError, String(hz));
    assert.throws(() => make({ hz: "1000" as unknown as number }), TypeError);
    assert.throws(() => make({ port: 65536 }), RangeError);
    assert.throws(() => make({ listenerFd: -2 }), RangeError);
    assert.throws(() => make({ counters: { ...counterFds, hz: 0, names: [] } }), RangeError);
    assert.throws(() => make({ counters: { ...counterFds, hz: 1, names: [5 as unknown as string] } }), TypeError);
    assert.throws(() => make({ listenerFd: -1, diagFd: -1 }), Error);
    const sampler = make();
    for (const stranger of [undefined, null, {}, 5, sampler]) {
      assert.throws(() => sampler.addClients(stranger as never), TypeError);
      assert.throws(() => sampler.addAcceptor(stranger as never), TypeError);
    }
    assert.throws(
      () =>
        Reflect.get(
          native.Sampler.prototype,
          "startedAt",
          new native.Acceptor({ listenerFd: listener.fd, rate: 0, limit: 0, mode: "close", onBatch: () => undefined }),
        ),
      Error,
    );
    assert.throws(
      () =>
        sampler.addClients(
          Object.setPrototypeOf(
            new native.Sampler({ listenerFd: listener.fd, diagFd, port: listener.port, hz: 1 }),
            native.ClientThread.prototype,
          ),
        ),
      TypeError,
    );
    assert.throws(() => native.Sampler.prototype.take.call({}), TypeError);
    assert.throws(() => native.Sampler.prototype.start.call(Object.create(native.Sampler.prototype)), TypeError);
  });
});

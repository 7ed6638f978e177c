import { strict as assert } from "node:assert";
import { constants } from "node:os";
import { LabHost } from "../../dist/lab/host";
import { Sysctls } from "../../dist/lab/sysctls";
import { ClientState, clientStates, type ClientThread, type ClientThreadOptions, native } from "../../dist/native";
import { atRest } from "../../dist/waiting/until";
import { until } from "../fixtures/waiting";
import { type Listening, listening } from "./listening";

const { errno } = constants;

describe("ClientThread", () => {
  let host: LabHost;
  let listener: Listening;
  let open: number[];
  let threads: ClientThread[];

  before(async () => {
    host = await LabHost.open();
    await new Sysctls(host).set({ "net.ipv4.tcp_syn_retries": 1 });
  });
  after(() => host.close());
  beforeEach(async () => {
    listener = await listening(host, { backlog: 3000 });
    open = [listener.fd];
    threads = [];
  });
  afterEach(async () => {
    await Promise.all(threads.map((thread) => thread.stop()));
    await native.closeLater(Int32Array.from(open));
  });

  const make = async (count: number, options: Partial<ClientThreadOptions> = {}) => {
    const fds = await host.sockets("tcp", count);
    const thread = new native.ClientThread({
      fds,
      address: "127.0.0.1",
      port: listener.port,
      sources: [],
      rate: 0,
      ...options,
    });
    threads.push(thread);
    return thread;
  };
  const started = async (count: number, options: Partial<ClientThreadOptions> = {}) => {
    const thread = await make(count, options);
    thread.start();
    return thread;
  };
  const reaches = (thread: ClientThread, state: number, count: number, timeoutMs?: number) =>
    until(() => thread.counts()[state] === count, `${count} clients in state ${state}`, timeoutMs);
  const accepted = async (count: number) => {
    const fds: number[] = [];
    await until(() => fds.push(...native.acceptAll(listener.fd, count - fds.length)) === count, `${count} to accept`);
    open.push(...fds);
    return fds;
  };
  const bytes = (text: string) => new TextEncoder().encode(text);
  const read = (fd: number) => {
    const into = new Uint8Array(100);
    const size = native.recv(fd, into);
    return size < 0 ? undefined : new TextDecoder().decode(into.subarray(0, size));
  };

  it("connects all as fast as it can and tells what became of each", async () => {
    const thread = await make(2000);
    assert.equal(thread.length, 2000);
    assert.deepEqual([...thread.counts()], [2000, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert.ok(
      thread.latency().every(Number.isNaN) &&
        thread.connectAt().every(Number.isNaN) &&
        thread.changedAt().every(Number.isNaN),
    );
    const before = native.now();
    thread.start();
    assert.ok(thread.startedAt >= before && thread.startedAt <= native.now());
    await reaches(thread, ClientState.established, 2000);
    const counts = thread.counts();
    assert.equal(counts.length, clientStates);
    assert.equal(
      counts.reduce((sum, n) => sum + n),
      2000,
    );
    assert.ok(thread.states().every((state) => state === ClientState.established));
    assert.ok(thread.latency().every((ms) => ms >= 0 && ms < 5000));
    assert.ok(thread.errnos().every((error) => error === 0));
    const [connectAt, changedAt, latency] = [thread.connectAt(), thread.changedAt(), thread.latency()];
    assert.ok(connectAt.every((ms, at) => at === 0 || ms >= connectAt[at - 1]));
    assert.ok(changedAt.every((ms, at) => Math.abs(ms - connectAt[at] - latency[at]) < 0.5));
    assert.deepEqual(
      [...thread.localPorts()],
      Array.from(thread.fds(), (fd) => native.getsockname(fd).port),
    );
    assert.equal(new Set(thread.localPorts()).size, 2000);
    assert.equal(native.tcpInfo(listener.fd).unacked, 2000);
  });

  it("sees the established ones while others wait for their queue", async () => {
    const small = await listening(host, { backlog: 4 });
    open.push(small.fd);
    const thread = await started(20, { port: small.port });
    await reaches(thread, ClientState.established, 5);
    await atRest(() => [...thread.counts()], { quiet: 50 });
    assert.deepEqual([thread.counts()[ClientState.established], thread.counts()[ClientState.synSent]], [5, 15]);
    const waiting = thread.states().indexOf(ClientState.synSent);
    assert.ok(Number.isNaN(thread.latency()[waiting]));
    assert.ok(thread.connectAt()[waiting] >= 0);
    assert.ok(thread.localPorts()[waiting] > 0);
  });

  it("connects at a rate, evenly", async () => {
    const thread = await started(100, { rate: 500 });
    await until(() => thread.counts()[ClientState.established] >= 10, "a first tenth");
    assert.ok(thread.counts()[ClientState.idle] > 40, "most are still to come");
    await reaches(thread, ClientState.established, 100);
    const late = thread.connectAt().map((ms, at) => ms - at * 2);
    assert.ok(
      late.every((ms) => ms >= 0),
      "never early",
    );
    assert.ok(late.sort()[90] < 5, `nine of ten within 5 ms of their moment, not ${late[90].toFixed(2)}`);
  });

  it("connects at the moments of a schedule", async () => {
    const schedule = Float64Array.from({ length: 30 }, (_, at) => (at < 10 ? 0 : at < 20 ? 40 : 90));
    const thread = await started(30, { schedule });
    await reaches(thread, ClientState.established, 30);
    const late = thread.connectAt().map((ms, at) => ms - schedule[at]);
    assert.ok(
      late.every((ms) => ms >= 0 && ms < 30),
      `late by ${Math.max(...late)} ms`,
    );
  });

  it("binds source addresses in turn", async () => {
    const thread = await started(30, { sources: ["127.0.0.5", "127.0.0.6", "127.0.0.7"] });
    await reaches(thread, ClientState.established, 30);
    Array.from(thread.fds()).forEach((fd, at) =>
      assert.equal(native.getsockname(fd).address, `127.0.0.${5 + (at % 3)}`),
    );
  });

  it("tells refused", async () => {
    const thread = await started(10, { port: 1 });
    await reaches(thread, ClientState.refused, 10);
    assert.ok(thread.errnos().every((error) => error === errno.ECONNREFUSED));
    assert.ok(
      thread.fds().every((fd) => fd === -1),
      "their sockets are closed",
    );
  });

  it("tells failed, without a word to the others", async () => {
    const thread = await started(10, { sources: ["192.0.2.1", "127.0.0.1"] });
    await reaches(thread, ClientState.established, 5);
    assert.equal(thread.counts()[ClientState.failed], 5);
    assert.deepEqual(
      [...thread.errnos()],
      Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? errno.EADDRNOTAVAIL : 0)),
    );
  });

  it("tells failed where other code has closed a descriptor", async () => {
    const thread = await make(3);
    native.close(thread.fds()[1]);
    thread.start();
    await reaches(thread, ClientState.established, 2);
    assert.deepEqual([thread.states()[1], thread.errnos()[1], thread.fds()[1]], [ClientState.failed, errno.EBADF, -1]);
  });

  it("tells timed out", async function () {
    this.timeout(20_000);
    await new Sysctls(host).set({ "net.ipv4.tcp_syn_linear_timeouts": 0 });
    const thread = await started(3, { address: "10.9.9.9" }); // the wire, where no host answers
    await reaches(thread, ClientState.synSent, 3);
    await reaches(thread, ClientState.timedOut, 3, 10_000);
    assert.ok(thread.errnos().every((error) => error === errno.ETIMEDOUT));
    assert.ok(thread.changedAt().every((ms) => ms > 900));
  });

  it("tells closed by the server and reset", async () => {
    const thread = await started(6);
    await reaches(thread, ClientState.established, 6);
    const fds = await accepted(6);
    for (const fd of fds.slice(0, 2)) native.shutdown(fd, 1);
    for (const fd of fds.slice(2, 5)) {
      native.setLinger(fd, 0);
      native.close(open.splice(open.indexOf(fd), 1)[0]);
    }
    await reaches(thread, ClientState.closedByServer, 2);
    await reaches(thread, ClientState.reset, 3);
    assert.equal(thread.counts()[ClientState.established], 1);
    thread
      .states()
      .forEach((state, at) => assert.equal(thread.errnos()[at], state === ClientState.reset ? errno.ECONNRESET : 0));
  });

  it("reads, counts and throws away what comes", async () => {
    const thread = await started(3);
    await reaches(thread, ClientState.established, 3);
    const fds = await accepted(3);
    const portOf = (fd: number) => native.getpeername(fd).port;
    const size = 100_000;
    let sent = 0;
    await until(
      () => (sent += Math.max(native.send(fds[0], new Uint8Array(size - sent)), 0)) === size,
      "all bytes are sent",
    );
    native.send(fds[1], bytes("bye"));
    native.shutdown(fds[1], 1);
    const at = (fd: number) => thread.localPorts().indexOf(portOf(fd));
    await until(() => thread.bytesReceived()[at(fds[0])] === size, "all bytes counted");
    await until(() => thread.states()[at(fds[1])] === ClientState.closedByServer, "FIN after data");
    assert.equal(thread.bytesReceived()[at(fds[1])], 3);
    assert.equal(thread.bytesReceived()[at(fds[2])], 0);
  });

  it("sends for all or some, and leaves out those in no state for it", async () => {
    const small = await listening(host, { backlog: 2 });
    open.push(small.fd);
    const thread = await started(5, { port: small.port });
    await reaches(thread, ClientState.established, 3);
    await reaches(thread, ClientState.synSent, 2);
    assert.equal(await thread.send(null, bytes("hello")), 3);
    const established = Array.from(thread.states().keys()).filter(
      (at) => thread.states()[at] === ClientState.established,
    );
    const waiting = thread.states().indexOf(ClientState.synSent);
    assert.equal(await thread.send(Int32Array.of(established[1], waiting), bytes("!")), 1);
    const fds = native.acceptAll(small.fd, 3);
    open.push(...fds);
    const portOf = thread.localPorts()[established[1]];
    const wanted = (fd: number) => (native.getpeername(fd).port === portOf ? "hello!" : "hello");
    await until(
      () => fds.every((fd) => native.diag(host.diagFd, 2, small.port).length === 3 && fd >= 0),
      "three connections",
    );
    assert.deepEqual(Array.from(fds, read), Array.from(fds, wanted));
    assert.equal(await thread.send(Int32Array.of(), bytes("x")), 0);
  });

  it("learns of a reset by sending", async () => {
    const thread = await started(1);
    await reaches(thread, ClientState.established, 1);
    const [fd] = await accepted(1);
    native.setLinger(fd, 0);
    native.close(open.splice(open.indexOf(fd), 1)[0]);
    await thread.send(null, bytes("anyone?"));
    await reaches(thread, ClientState.reset, 1);
    assert.equal(await thread.send(null, bytes("anyone?")), 0);
  });

  it("closes, resets, shuts down", async () => {
    const thread = await started(6);
    await reaches(thread, ClientState.established, 6);
    const byPort = new Map((await accepted(6)).map((fd) => [native.getpeername(fd).port, fd]));
    const peers = Array.from(thread.localPorts(), (port) => byPort.get(port)!);
    assert.equal(await thread.close(Int32Array.of(0, 1)), 2);
    assert.equal(await thread.reset(Int32Array.of(2, 3)), 2);
    assert.equal(await thread.shutdown(Int32Array.of(4)), 1);
    await until(() => read(peers[0]) === "" && read(peers[1]) === "", "FIN at the server");
    for (const fd of [peers[2], peers[3]]) assert.throws(() => read(fd), { code: "ECONNRESET" });
    await until(() => read(peers[4]) === "", "FIN at the server");
    assert.equal(read(peers[5]), undefined);
    const { closed, established } = ClientState;
    assert.deepEqual([...thread.states()], [closed, closed, closed, closed, established, established]);
    assert.equal(await thread.close(Int32Array.of(0, 1, 2, 3)), 0, "once is enough");
    assert.equal(await thread.close(null), 2);
    assert.equal(await thread.shutdown(null), 0);
  });

  it("closes a client that has not connected yet: it never will", async () => {
    const thread = await started(3, { schedule: Float64Array.of(0, 100, 150) });
    await reaches(thread, ClientState.established, 1);
    assert.equal(await thread.close(Int32Array.of(1)), 1);
    await reaches(thread, ClientState.established, 2);
    assert.equal(thread.states()[1], ClientState.closed);
    assert.equal(native.tcpInfo(listener.fd).unacked, 2);
  });

  it("releases a descriptor, and leaves it alone from then on", async () => {
    const thread = await started(2);
    await reaches(thread, ClientState.established, 2);
    const fd = thread.release(0);
    open.push(fd);
    assert.ok(fd > 2);
    assert.equal(thread.fds()[0], -1);
    assert.equal(thread.release(0), -1);
    const peer = (await accepted(2)).find((each) => native.getpeername(each).port === native.getsockname(fd).port)!;
    native.send(peer, bytes("for the new owner"));
    let got: string | undefined;
    await until(() => (got = read(fd)) !== undefined, "data for the new owner");
    assert.equal(got, "for the new owner");
    await thread.stop();
    assert.equal(native.send(fd, bytes("alive")), 5);
    assert.equal(thread.release(1), -1, "closed by stop()");
  });

  it("owns its descriptors: stop() closes them, in any state", async () => {
    const before = native.descriptors().open;
    const unused = await make(200);
    await unused.stop();
    const thread = await started(200);
    await reaches(thread, ClientState.established, 200);
    await thread.stop();
    await thread.stop();
    assert.ok(native.descriptors().open <= before + 1, "all closed");
    assert.equal(thread.counts()[ClientState.closed], 200);
    assert.ok(
      thread.latency().every((ms) => ms >= 0),
      "columns stay readable",
    );
    assert.ok(thread.fds().every((fd) => fd === -1));
  });

  it("settles every promise, before start() and after stop(), too", async () => {
    const idle = await make(5);
    assert.equal(await idle.send(null, bytes("x")), 0);
    assert.equal(await idle.close(Int32Array.of(4)), 1);
    const thread = await started(500);
    await reaches(thread, ClientState.established, 500);
    const pending = Array.from({ length: 50 }, () => thread.send(null, bytes("x")));
    const stopped = thread.stop();
    pending.push(thread.close(null), thread.reset(null), thread.shutdown(null));
    await stopped;
    for (const result of await Promise.allSettled(pending))
      if (result.status === "fulfilled") assert.ok(result.value >= 0 && result.value <= 500);
    const late = await Promise.allSettled([thread.send(null, bytes("x")), thread.close(null)]);
    for (const result of late) assert.ok(result.status === "rejected" || result.value === 0);
    assert.throws(() => thread.start(), Error);
  });

  it("leaves descriptors with the caller if its constructor throws", async () => {
    const fds = await host.sockets("tcp", 2);
    open.push(...fds);
    const base = { fds, address: "127.0.0.1", port: 80, sources: [], rate: 0 };
    const wrong: [Partial<Record<keyof ClientThreadOptions, unknown>>, new () => Error][] = [
      [{ address: "localhost" }, TypeError],
      [{ port: 65536 }, RangeError],
      [{ port: "80" }, TypeError],
      [{ rate: -1 }, RangeError],
      [{ rate: NaN }, RangeError],
      [{ sources: "127.0.0.1" }, TypeError],
      [{ sources: ["nowhere"] }, TypeError],
      [{ fds: [...fds] }, TypeError],
      [{ schedule: Float64Array.of(0) }, RangeError],
      [{ schedule: Float64Array.of(5, 1) }, RangeError],
      [{ schedule: Float64Array.of(0, NaN) }, RangeError],
      [{ schedule: [0, 1] }, TypeError],
    ];
    for (const [options, kind] of wrong)
      assert.throws(
        () => new native.ClientThread({ ...base, ...options } as unknown as ClientThreadOptions),
        kind,
        JSON.stringify(options),
      );
    for (const fd of fds) assert.ok(native.inode(fd) > 0);
  });

  it("refuses misuse: two starts, indexes out of range, wrong types, a wrong this", async () => {
    const thread = await started(2);
    assert.throws(() => thread.start(), /start/);
    for (const which of [Int32Array.of(2), Int32Array.of(-1)]) {
      await assert.rejects(async () => thread.send(which, bytes("x")), RangeError);
      await assert.rejects(async () => thread.close(which), RangeError);
    }
    await assert.rejects(async () => thread.send([0] as unknown as Int32Array, bytes("x")), TypeError);
    await assert.rejects(async () => thread.send(null, "x" as unknown as Uint8Array), TypeError);
    assert.throws(() => thread.release(2), RangeError);
    assert.throws(() => thread.release(0.5), RangeError);
    assert.throws(() => native.ClientThread.prototype.counts.call({}), TypeError);
    assert.throws(
      () => native.ClientThread.prototype.start.call(Object.create(native.ClientThread.prototype)),
      TypeError,
    );
    const sampler = new native.Sampler({ listenerFd: listener.fd, diagFd: -1, port: listener.port, hz: 1 });
    for (const stranger of [{}, sampler, native.ClientThread.prototype]) {
      assert.throws(() => Reflect.get(native.ClientThread.prototype, "length", stranger), Error);
      assert.throws(() => Reflect.get(native.ClientThread.prototype, "startedAt", stranger), Error);
    }
  });

  it("does nothing with no clients", async () => {
    const thread = await started(0);
    assert.deepEqual([thread.length, await thread.close(null)], [0, 0]);
  });
});

import { strict as assert } from "node:assert";
import { LabHost } from "../../dist/lab/host";
import { ClientState, type ClientThread, type Mirror, type MirrorOptions, native } from "../../dist/native";
import { sleep, until } from "../fixtures/waiting";
import { type Listening, listening } from "./listening";

const syn = 2;
const ack = 16;
const address = (text: string) => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

describe("Mirror", () => {
  let host: LabHost;
  let listener: Listening;
  let open: number[];
  let mirrors: Mirror[];
  let threads: ClientThread[];
  // an address of its own for each test: connections of the one before may still be ending
  let tests = 0;
  let there: string;

  before(async () => {
    host = await LabHost.open();
  });
  after(() => host.close());
  beforeEach(async () => {
    listener = await listening(host, { address: "0.0.0.0", backlog: 4000 });
    open = [listener.fd];
    mirrors = [];
    threads = [];
    there = `10.1.${++tests}.1`;
  });
  afterEach(async () => {
    await Promise.all(threads.map((thread) => thread.stop()));
    await Promise.all(mirrors.map((mirror) => mirror.stop()));
    await native.closeLater(Int32Array.from(open));
  });

  const make = async (options: Partial<MirrorOptions> = {}) => {
    const [packetFd] = await host.sockets("packet", 1);
    const mirror = new native.Mirror({
      packetFd,
      ifindex: host.farIndex,
      network: there,
      prefix: 32,
      rtt: 0,
      loss: 0,
      logCapacity: 1000,
      ...options,
    });
    mirrors.push(mirror);
    return mirror;
  };
  const started = async (options: Partial<MirrorOptions> = {}) => {
    const mirror = await make(options);
    mirror.start();
    return mirror;
  };
  const connect = async (count: number, to = there, rate = 0) => {
    const thread = new native.ClientThread({
      fds: await host.sockets("tcp", count),
      address: to,
      port: listener.port,
      sources: [],
      rate,
    });
    threads.push(thread);
    thread.start();
    return thread;
  };
  const connected = async (count: number, to?: string, rate?: number) => {
    const thread = await connect(count, to, rate);
    await until(() => thread.counts()[ClientState.established] === count, `${count} clients are connected`, 10_000);
    return thread;
  };
  const accepted = async (count: number) => {
    const fds: number[] = [];
    await until(() => fds.push(...native.acceptAll(listener.fd, count - fds.length)) === count, `${count} to accept`);
    open.push(...fds);
    return fds;
  };
  const median = (values: Float64Array) => values.slice().sort()[values.length >> 1];

  it("lets clients meet their own host's listener from another address", async () => {
    await started();
    const thread = await connected(3);
    for (const fd of await accepted(3)) {
      assert.deepEqual(native.getpeername(fd).address, there);
      assert.deepEqual(native.getsockname(fd), { address: host.address, port: listener.port });
      assert.ok(thread.localPorts().includes(native.getpeername(fd).port), "ports stay");
    }
  });

  for (const rtt of [5, 40]) {
    it(`makes a round trip take ${rtt} ms`, async () => {
      await started({ rtt });
      const latency = (await connected(50, there, 500)).latency();
      assert.ok(
        latency.every((ms) => ms >= rtt),
        `never less: ${Math.min(...latency)}`,
      );
      assert.ok(median(latency) < rtt + 3, `median ${median(latency).toFixed(2)} ms`);
    });
  }

  it("returns packets at once with rtt 0", async () => {
    await started({ rtt: 0 });
    assert.ok(median((await connected(50, there, 500)).latency()) < 3);
  });

  it("carries data in order and whole, both ways", async () => {
    await started({ rtt: 2 });
    const [fd] = [...(await host.sockets("tcp", 1))];
    open.push(fd);
    native.connect(fd, there, listener.port);
    const [far] = await accepted(1);
    const size = 1_000_000;
    const data = Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 255);
    for (const [from, to] of [
      [fd, far],
      [far, fd],
    ]) {
      const into = new Uint8Array(size);
      let sent = 0;
      let got = 0;
      await until(
        () => {
          if (sent < size) sent += Math.max(0, native.send(from, data.subarray(sent)));
          for (let more = 1; more > 0 && got < size; got += Math.max(0, more))
            more = native.recv(to, into.subarray(got));
          return got === size;
        },
        "a megabyte",
        8000,
      );
      assert.deepEqual(into, data);
    }
  });

  it("leaves other addresses alone; each mirror has its own round trip", async () => {
    await started({ rtt: 10 });
    await started({ network: "10.2.0.0", prefix: 16, rtt: 60 });
    const nowhere = await connect(2, "10.3.0.1");
    const [near, far] = await Promise.all([connected(5), connected(5, "10.2.9.9")]);
    assert.ok(median(near.latency()) >= 10 && median(near.latency()) < 20);
    assert.ok(median(far.latency()) >= 60 && median(far.latency()) < 70);
    assert.equal(nowhere.counts()[ClientState.synSent], 2);
    assert.deepEqual(
      mirrors.map((mirror) => mirror.stats().received),
      [15, 15],
    );
  });

  it("logs a handshake: who, what, when", async () => {
    const before = native.now();
    const mirror = await started({ rtt: 10 });
    const thread = await connected(1);
    await until(() => mirror.stats().returned === 3, "three packets");
    const log = mirror.log();
    const [port] = thread.localPorts();
    const [near, far] = [address(host.address), address(there)];
    assert.equal(log.length, 3);
    assert.deepEqual([...log.flags], [syn, syn | ack, ack]);
    assert.deepEqual([...log.source], [near, near, near]);
    assert.deepEqual([...log.destination], [far, far, far]);
    assert.deepEqual([...log.sourcePort], [port, listener.port, port]);
    assert.deepEqual([...log.destinationPort], [listener.port, port, listener.port]);
    assert.equal(log.acknowledgment[1], (log.sequence[0] + 1) >>> 0);
    assert.equal(log.acknowledgment[2], (log.sequence[1] + 1) >>> 0);
    assert.deepEqual([...log.payload, ...log.lost], [0, 0, 0, 0, 0, 0]);
    assert.ok(log.time[0] >= before && log.time[2] <= native.now());
    for (const at of [1, 2])
      assert.ok(log.time[at] - log.time[at - 1] >= 5 && log.time[at] - log.time[at - 1] < 8, "half a round trip");
    assert.equal(mirror.log().length, 0, "nothing twice");
    await thread.send(null, new Uint8Array(77));
    await until(() => mirror.stats().returned >= 5, "data and its acknowledgment");
    assert.equal(mirror.log().payload[0], 77);
  });

  it("keeps the last packets where more come than the log holds, none where it holds none", async () => {
    const mirror = await started({ logCapacity: 10 });
    const silent = await started({ network: "10.4.0.0", prefix: 16, logCapacity: 0 });
    await connected(20);
    await connected(20, "10.4.0.1");
    await until(() => mirror.stats().returned === 60 && silent.stats().returned === 60, "sixty packets each");
    const log = mirror.log();
    assert.equal(log.length, 10);
    assert.equal(log.flags[9], ack);
    assert.equal(silent.log().length, 0);
  });

  it("loses packets on purpose", async () => {
    const mirror = await started({ loss: 1 });
    await connect(1000);
    await until(() => mirror.stats().received === 1000, "all SYNs");
    assert.deepEqual([mirror.stats().lost, mirror.stats().returned], [1000, 0]);
    assert.ok(mirror.log().lost.every((lost) => lost === 1));
    mirror.setLoss(0.3);
    await connect(1000);
    await until(() => mirror.stats().received >= 2000, "the others");
    const { sourcePort, flags, lost } = mirror.log();
    assert.ok(lost.length > 0 && sourcePort.length === flags.length);
    const share = lost.reduce((sum, one) => sum + one) / lost.length;
    assert.ok(Math.abs(share - 0.3) < 0.08, `${share} of ${lost.length}`); // five standard deviations at 1000
  });

  it("changes its round trip while it runs, and no packet overtakes another", async () => {
    const mirror = await started({ rtt: 200 });
    const slow = await connect(1);
    await until(() => mirror.stats().waiting === 1, "its SYN waits");
    mirror.setRtt(0);
    const quick = await connected(1);
    assert.ok(quick.latency()[0] > 50, "behind the one before");
    await until(() => slow.counts()[ClientState.established] === 1, "the one before");
    assert.ok(
      slow.latency()[0] < 180 && slow.latency()[0] >= 100,
      `SYN at the old pace, SYN-ACK at the new one: ${slow.latency()[0]}`,
    );
    assert.ok((await connected(1)).latency()[0] < 10);
  });

  it("takes a burst of thousands without a drop", async function () {
    this.timeout(20_000);
    const mirror = await started({ rtt: 20 });
    const thread = await connected(3000);
    const { kernelDrops, lost, error } = mirror.stats();
    assert.deepEqual([kernelDrops, lost, error], [0, 0, 0]);
    assert.ok(thread.latency().every((ms) => ms >= 20));
  });

  it("stops: packets stay away, stats and log stay readable", async () => {
    const before = native.descriptors().open;
    const mirror = await started();
    await connected(2);
    await until(() => mirror.stats().returned === 6, "six packets");
    await Promise.all([mirror.stop(), mirror.stop()]);
    await mirror.stop();
    assert.deepEqual([mirror.stats().returned, mirror.stats().waiting, mirror.stats().error], [6, 0, 0]);
    assert.equal(mirror.log().length, 6);
    assert.equal(mirror.log().length, 0);
    mirror.setRtt(5);
    mirror.setLoss(0.5);
    const late = await connect(1);
    await sleep(50); // time in which nothing may happen
    assert.equal(late.counts()[ClientState.synSent], 1);
    assert.throws(() => mirror.start(), /stopped/);
    await Promise.all(threads.splice(0).map((thread) => thread.stop()));
    await until(() => native.descriptors().open <= before, "its descriptors are closed");
  });

  it("returns packets, too, where the kernel gives it no ring of memory", async () => {
    const [packetFd] = await host.sockets("packet", 1);
    // tpacket_get_info(), packet_set_ring(): frames that are smaller than what is reserved in them are EINVAL
    native.setsockopt(packetFd, 263, 12, 60_000); // SOL_PACKET, PACKET_RESERVE
    const mirror = await started({ packetFd, rtt: 5 });
    const thread = await connected(30);
    await until(() => mirror.stats().returned === 90, "90 packets: SYN, SYN-ACK and ACK");
    assert.ok(thread.latency().every((ms) => ms >= 5));
    assert.deepEqual([mirror.stats().kernelDrops, mirror.stats().error], [0, 0]);
    assert.equal(mirror.log().length, 90);
  });

  it("refuses wrong options, and leaves the descriptor with the caller", async () => {
    const [packetFd] = await host.sockets("packet", 1);
    open.push(packetFd);
    const base = { packetFd, ifindex: host.farIndex, network: there, prefix: 32, rtt: 0, loss: 0, logCapacity: 0 };
    const wrong: [Partial<Record<keyof MirrorOptions, unknown>>, object][] = [
      [{ rtt: -1 }, RangeError],
      [{ rtt: NaN }, RangeError],
      [{ loss: 1.01 }, RangeError],
      [{ prefix: 33 }, RangeError],
      [{ network: "ten" }, TypeError],
      [{ logCapacity: -1 }, RangeError],
      [{ logCapacity: 1e12 }, RangeError],
      [{ ifindex: 0 }, RangeError],
      [{ packetFd: -1 }, RangeError],
      [{ ifindex: 999_999 }, { code: "ENODEV" }],
      [{ packetFd: listener.fd }, { syscall: "ioctl" }],
    ];
    for (const [options, error] of wrong)
      assert.throws(() => new native.Mirror({ ...base, ...options } as MirrorOptions), error, JSON.stringify(options));
    for (const fd of [packetFd, listener.fd]) assert.ok(native.inode(fd) > 0);
    const mirror = await started();
    assert.throws(() => mirror.start(), /start/);
    assert.throws(() => mirror.setRtt(-1), RangeError);
    assert.throws(() => mirror.setLoss(2), RangeError);
    assert.throws(() => native.Mirror.prototype.stats.call({}), TypeError);
    const unused = await make();
    const stopping = unused.stop();
    assert.throws(() => unused.start(), /stopped/);
    await stopping;
  });
});

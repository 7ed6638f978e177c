import assert from "node:assert/strict";
import { type Lab, type Listener, type Peer, type Wire } from "../../dist/index";
import { native } from "../../dist/native";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { until } from "../fixtures/waiting";

const soMark = 36;

describe("whose requests the SYN queue counts", () => {
  let lab: Lab;
  let wire: Wire;
  let open: Listener[];
  labOfSuite(
    async (opened) => {
      lab = opened;
      wire = await lab.wire();
    },
    { sysctls: { "net.ipv4.tcp_syncookies": 1, "net.ipv4.tcp_fastopen": 3 } },
  );
  beforeEach(() => (open = []));
  afterEach(async () => {
    for (const listener of open) await listener.close();
  });

  const listen = async (options: Parameters<Lab["listen"]>[0]) => {
    const listener = await lab.listen(options);
    open.push(listener);
    return listener;
  };
  const lengths = (listeners: Listener[]) => listeners.map(({ synQueue }) => synQueue);
  const syns = (port: number, count: number): Peer[] => {
    const peers = Array.from({ length: count }, () => wire.peer(port));
    for (const peer of peers) peer.syn();
    return peers;
  };

  for (const sharing of [2, 4]) {
    it(`of ${sharing} listeners of a port each has its own: those that its accept queue gets`, async () => {
      const first = await listen({ reusePort: true });
      while (open.length < sharing) await listen({ reusePort: true, port: first.port });
      const peers = syns(first.port, 20 * sharing);
      const half = lengths(open);
      assert.equal(
        half.reduce((sum, each) => sum + each),
        20 * sharing,
      );
      // that a fair hash gives all to one happens once in 2^39
      assert.ok(
        half.every((each) => each < 20 * sharing),
        half.join(),
      );
      const clients = open.map((each) => each.synRequests().map(({ address, port }) => `${address}:${port}`));
      for (const peer of peers) peer.ack();
      assert.deepEqual(
        lengths(open),
        open.map(() => 0),
      );
      assert.deepEqual(
        open.map(({ acceptQueue }) => acceptQueue),
        half,
      );
      for (const [at, listener] of open.entries()) {
        const accepted = listener.acceptAll().map(({ remote }) => `${remote.address}:${remote.port}`);
        assert.deepEqual(accepted.sort(), clients[at].sort());
      }
    });
  }

  it("recordings of each listener see its own, and a recording of the port sees all", async () => {
    const first = await listen({ reusePort: true });
    const second = await listen({ reusePort: true, port: first.port });
    const recordings = [
      await lab.record(first, { live: false }),
      await lab.record(second, { live: false }),
      await lab.record(first.port, { live: false }),
    ];
    syns(first.port, 30);
    const peaks = await Promise.all(recordings.map(async (each) => (await each.stop()).summary().get("synQueue").max));
    assert.deepEqual(peaks, [first.synQueue, second.synQueue, 30]);
    assert.equal(peaks[0] + peaks[1], 30);
  });

  it("a listener on 127.0.0.1 does not count what goes to another address", async () => {
    const home = await listen({ address: "127.0.0.1" });
    const { port } = home;
    const away = await listen({ address: lab.address, port });
    const other = await listen({ address: "127.0.0.2", port, deferAccept: 5 });
    const recording = await lab.record(home, { live: false });
    syns(port, 7);
    const clients = await lab.connect(other, { clients: 3 });
    assert.deepEqual(lengths([home, away, other]), [0, 7, 3]);
    assert.deepEqual(
      [home, away, other].map((each) => each.synRequests().length),
      [0, 7, 3],
    );
    assert.equal((await recording.stop()).summary().get("synQueue").max, 0);
    await clients.close();
  });

  it("a specific address beside all addresses, on one port", async () => {
    const all = await listen({ reusePort: true, deferAccept: 5 });
    const one = await listen({ reusePort: true, port: all.port, address: "127.0.0.1", deferAccept: 5 });
    const clients = await lab.connect(one, { clients: 4 });
    syns(all.port, 6);
    assert.deepEqual(lengths([all, one]), [6, 4]);
    await clients.close();
  });

  it("requests of a closed listener are not those of the next one on the port", async () => {
    const old = await lab.listen({});
    syns(old.port, 5);
    assert.equal(old.synQueue, 5);
    await old.close();
    const next = await listen({ port: old.port });
    assert.equal(lab.sockets({ port: old.port, states: ["NEW_SYN_RECV"] }).length, 5, "the kernel still has them");
    assert.equal(next.synQueue, 0);
    assert.deepEqual(next.synRequests(), []);
  });

  it("says that it cannot tell where the kernel tells no marks, and the port is shared; alone it counts by the address", async () => {
    const unmarked = async (options: Parameters<Lab["listen"]>[0]) => {
      const listener = await listen(options);
      native.setsockopt(listener.fd, 1, soMark, 0);
      return listener;
    };
    const first = await unmarked({ reusePort: true });
    syns(first.port, 3);
    assert.equal(first.synQueue, 3);
    const second = await unmarked({ reusePort: true, port: first.port });
    const undecided = { code: "ERR_UNDECIDED", message: /^Port \d+ has 2 listeners, and the kernel does not tell / };
    for (const each of [first, second]) {
      assert.throws(() => each.synQueue, undecided);
      assert.throws(() => each.synRequests(), undecided);
      await assert.rejects(lab.record(each, { live: false }), undecided);
    }
    const without = await lab.record(first, { live: false, synQueue: false });
    await without.stop();
    const home = await unmarked({ address: "127.0.0.1" });
    await unmarked({ address: lab.address, port: home.port });
    const recording = await lab.record(home, { live: false });
    syns(home.port, 4);
    assert.equal(home.synQueue, 0);
    assert.equal((await recording.stop()).summary().get("synQueue").max, 0);
  });

  it("a Fast Open connection waits in the accept queue alone", async () => {
    const fast = await listen({ fastOpen: 16 });
    const recording = await lab.record(fast, { live: false });
    const visitor = wire.peer(fast, { address: "10.7.0.1", port: 40001 });
    visitor.syn({ fastOpen: true });
    const { options } = await visitor.receive();
    const cookie = options.find((each) => each.kind === "fastOpen")!.cookie;
    visitor.rst();
    await until(() => fast.synQueue === 0);
    for (const [at, data] of ["GET /", ""].entries()) {
      const regular = wire.peer(fast, { address: "10.7.0.1", port: 40002 + at });
      regular.syn({ fastOpen: cookie, ...(data && { data }) });
      const [row] = lab
        .sockets({ port: fast.port, states: ["SYN_RECV"] })
        .filter(({ remote }) => remote.port === regular.port);
      assert.deepEqual([row.state, row.request], ["SYN_RECV", undefined]);
      assert.deepEqual([fast.synQueue, fast.acceptQueue], [0, at + 1]);
      assert.deepEqual(fast.synRequests(), []);
    }
    const trace = await recording.stop();
    assert.equal(trace.at(trace.end).synQueue, 0);
    assert.equal(trace.summary().get("acceptQueue").max, 2);
    const half = wire.peer(fast);
    half.syn();
    assert.deepEqual(
      lab.sockets({ port: fast.port, states: ["NEW_SYN_RECV"] }).map(({ request }) => request),
      [true],
    );
    assert.equal(fast.synQueue, 1);
  });

  it("Fast Open that is off for servers is refused, with the sysctl that allows it", async () => {
    for (const setting of [0, 1, 4, 0x405]) {
      await lab.sysctl.with({ "net.ipv4.tcp_fastopen": setting }, () =>
        assert.rejects(lab.listen({ fastOpen: 5 }), {
          code: "ERR_SYSCTL",
          message: `fastOpen would have no effect: net.ipv4.tcp_fastopen is ${setting} in this Lab, without bit 2, which allows it to servers.`,
          hint: `Set it first: await lab.sysctl.set({ "net.ipv4.tcp_fastopen": ${setting | 2} }).`,
        }),
      );
    }
    await lab.sysctl.with({ "net.ipv4.tcp_fastopen": 2 }, () => listen({ fastOpen: 5 }));
  });
});

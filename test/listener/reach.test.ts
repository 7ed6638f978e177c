import assert from "node:assert/strict";
import { type Lab } from "../../dist/index";
import { labOfSuite } from "../fixtures/lab-of-suite";

/** A Python program that listens with backlog 5 and never accepts. @param v6only of an IPv6 address */
function listening(address: string, port: number, { v6only = false } = {}): [string, string[]] {
  const version = address.includes(":") ? "AF_INET6" : "AF_INET";
  const only = v6only ? "s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)" : "";
  const lines = [
    "import socket, time",
    `s = socket.socket(socket.${version}, socket.SOCK_STREAM)`,
    only,
    `s.bind(("${address}", ${port})); s.listen(5); print("listening", flush=True); time.sleep(60)`,
  ];
  return ["python3", ["-c", lines.join("\n")]];
}

/** A Python program that connects `count` clients over IPv6 and holds them. */
function connecting6(address: string, port: number, count: number): [string, string[]] {
  const lines = [
    "import socket, time",
    `held = [socket.create_connection(("${address}", ${port})) for _ in range(${count})]`,
    'print("connected", flush=True); time.sleep(60)',
  ];
  return ["python3", ["-c", lines.join("\n")]];
}

describe("where clients connect to", () => {
  let lab: Lab;
  let port = 8000;
  const closing: { close(): Promise<void> }[] = [];
  labOfSuite((opened) => (lab = opened));
  beforeEach(() => (port += 1));
  afterEach(async () => {
    for (const each of closing.splice(0).reverse()) await each.close();
  });

  const start = async ([command, args]: [string, string[]]) => {
    const program = await lab.spawn(command, args);
    closing.push(program);
    await new Promise((resolve) => program.stdout.once("data", resolve));
    return program;
  };

  for (const place of ["127.0.0.1", "127.0.0.2", "127.9.9.9", "the Lab's address", "0.0.0.0"])
    it(`a listener on ${place} gets the clients of connect() and dial() at its address`, async () => {
      const address = place.startsWith("the") ? lab.address : place;
      const listener = await lab.listen({ port, address });
      closing.push(listener);
      const expected = address === "0.0.0.0" ? "127.0.0.1" : address;
      const clients = await lab.connect(listener, { clients: 3 });
      const byHand = await lab.dial(listener);
      const socket = await lab.netConnect(listener);
      closing.push(clients, byHand);
      const accepted = listener.acceptAll();
      assert.deepEqual(
        accepted.map(({ local }) => local),
        Array.from({ length: 5 }, () => ({ address: expected, port })),
      );
      assert.equal(byHand.remote.address, expected);
      socket.destroy();
    });

  it("of two listeners on one port the one that was given", async () => {
    const listeners = [
      await lab.listen({ port, address: "127.0.0.1" }),
      await lab.listen({ port, address: "127.0.0.2" }),
    ];
    closing.push(...listeners);
    for (const [at, listener] of listeners.entries()) {
      closing.push(await lab.connect(listener, { clients: 2 }), await lab.dial(listener));
      assert.deepEqual(
        listeners.map(({ acceptQueue }) => acceptQueue),
        at === 0 ? [3, 0] : [3, 3],
      );
    }
  });

  it("a listener that the wire does not reach is refused to mirror clients and ghosts; the Lab's address is taken", async () => {
    const home = await lab.listen({ port, address: "127.0.0.1" });
    closing.push(home);
    const refused = (what: string) => ({
      message: `${what} come over the wire to ${lab.address}:${port}, and the listener is bound to 127.0.0.1.`,
      hint: `Listen on 0.0.0.0 or ${lab.address}, or use clients over loopback.`,
    });
    for (const to of [home, port]) {
      await assert.rejects(lab.connect(to, { kind: "mirror" }), refused("Mirror clients"));
      await assert.rejects(lab.ghosts(to, { count: 1 }), refused("Ghosts"));
      await assert.rejects(lab.flood(to, { count: 1 }), refused("Ghosts"));
    }
    const away = await lab.listen({ port, address: lab.address });
    closing.push(away);
    closing.push(await lab.connect(away, { clients: 2, kind: "mirror", rtt: 1 }));
    closing.push(await lab.connect(port, { clients: 2, kind: "mirror", rtt: 1 }));
    assert.deepEqual([home.acceptQueue, away.acceptQueue], [0, 4]);
  });

  it("programs on [::] take IPv4 clients, and the table shows their addresses as ss does", async () => {
    await start(listening("::", port));
    const recording = await lab.record(port, { live: false });
    await start(connecting6("::1", port, 3));
    closing.push(await lab.connect(port, { clients: 2 }), await lab.dial(port));
    const [listener] = lab.sockets({ port, states: ["LISTEN"] });
    assert.deepEqual(
      [listener.family, listener.local, listener.remote, listener.receiveQueue, listener.v6only],
      [6, { address: "::", port }, { address: "::", port: 0 }, 6, undefined],
    );
    const queued = lab.sockets({ port, states: ["ESTABLISHED"] });
    assert.deepEqual(queued.map(({ family, local, remote }) => `${family} ${local.address} ${remote.address}`).sort(), [
      ...Array<string>(3).fill("6 ::1 ::1"),
      ...Array<string>(3).fill("6 ::ffff:127.0.0.1 ::ffff:127.0.0.1"),
    ]);
    assert.equal((await recording.stop()).summary().get("acceptQueue").max, 6);
  });

  for (const [address, v6only] of [
    ["::1", false],
    ["::", true],
  ] as const)
    it(`a program that takes IPv6 alone (${address}) is recorded, and its clients must be IPv6`, async () => {
      await start(listening(address, port, { v6only }));
      const recording = await lab.record(port, { live: false });
      await start(connecting6("::1", port, 2));
      const expected = {
        name: "ArgumentError",
        message: `Only IPv6 sockets listen on port ${port} ([${address}]:${port}), and the clients of a Lab use IPv4.`,
      };
      await assert.rejects(lab.connect(port), expected);
      await assert.rejects(lab.dial(port), expected);
      await assert.rejects(lab.connect(port, { kind: "mirror" }), expected);
      const [row] = lab.sockets({ port, states: ["LISTEN"] });
      assert.deepEqual([row.local.address, row.v6only], [address, true]);
      assert.equal((await recording.stop()).summary().get("acceptQueue").max, 2);
    });

  it("of an IPv4 and an IPv6 program on one port each can be recorded by its address", async () => {
    await start(listening("::", port, { v6only: true }));
    await start(listening("0.0.0.0", port));
    const recordings = await Promise.all(
      ["0.0.0.0", "::", undefined].map((address) => lab.record(port, { live: false, ...(address && { address }) })),
    );
    await start(connecting6("::1", port, 4));
    closing.push(await lab.connect(port, { clients: 3 }));
    const peaks = [];
    for (const each of recordings) peaks.push((await each.stop()).summary().get("acceptQueue").max);
    assert.deepEqual(peaks, [3, 4, 7]);
    await assert.rejects(lab.record(port, { address: "127.0.0.1" }), {
      message: `No socket listens on 127.0.0.1:${port} in this Lab.`,
    });
    await assert.rejects(lab.record(await lab.listen(), { address: "127.0.0.1" }), /A Listener has one address/);
  });

  it("a program on one address is found there", async () => {
    await start(listening("127.0.0.5", port));
    closing.push(await lab.connect(port, { clients: 2 }));
    assert.equal((await lab.dial(port)).remote.address, "127.0.0.5");
    assert.equal(lab.sockets({ port, states: ["LISTEN"] })[0].receiveQueue, 3);
  });

  it("a client that the kernel would connect to itself is refused, where no socket listens", async () => {
    await lab.sysctl.with({ "net.ipv4.ip_local_port_range": "40000\t40000" }, async () => {
      for (let turn = 0; turn < 3; turn++)
        await assert.rejects(lab.dial(40_000), {
          code: "ECONNREFUSED",
          hint: /^No socket listens on that port in this Lab\. The kernel chose port 40000 for the client, too/,
        });
      const clients = await lab.connect(40_000, { clients: 1 });
      assert.equal(clients.counts().refused, 1);
      assert.equal(clients.at(0).error, "ECONNREFUSED");
      assert.deepEqual(lab.sockets({ port: 40_000, states: ["ESTABLISHED"] }), []);
      await clients.close();
    });
  });
});

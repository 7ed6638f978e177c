import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { Lab } from "one-listener";
import { skip } from "../fixtures/skip";
import { sleep } from "../fixtures/waiting";
import { DrivenServer, LabWatch, type Line, watchesOfSuite } from "./watched";

/** In a Lab of its own, so that the counters of the network namespace are those of the test. */
describe("one-listener watch tells what belongs to whom", function () {
  this.timeout(60_000);
  let lab: Lab;
  let server: DrivenServer;
  const start = watchesOfSuite(
    (opened) => (lab = opened),
    (made) => (server = made),
  );
  const of = (listener: string) => (line: Line) => line.listener === listener;

  it("the accept rate of a listener whose neighbour's queue fills is 0", async () => {
    await server.tell("open", "127.0.0.1", 8201, 5);
    await server.tell("open", "127.0.0.1", 8202, 4000);
    const idle = await start(":8201");
    const filling = await start(":8202");
    await idle.next("a report", () => true);
    for (let burst = 0; burst < 20; burst++) {
      await server.tell("connect", "127.0.0.1", 8202, 30);
      await sleep(25);
    }
    await filling.next("600 waiting", ({ acceptQueue }) => acceptQueue === 600);
    await idle.next("one more report", () => true);
    const rates = [...idle.reports, ...filling.reports].map(({ acceptRate }) => acceptRate as number);
    assert.deepEqual([...new Set(rates)], [0]);
    assert.ok(
      filling.reports.some(({ namespace }) => namespace.handshakeRate > 0),
      "the handshakes are the namespace's",
    );
  });

  it("is exact while one listener has the namespace to itself", async () => {
    await server.tell("open", "127.0.0.1", 8203, 100);
    await server.tell("connect", "127.0.0.1", 8203, 60);
    const watched = await start(":8203");
    await watched.next("60 waiting", ({ acceptQueue }) => acceptQueue === 60);
    await server.tell("accept", 0, 45);
    await server.tell("connect", "127.0.0.1", 8203, 5);
    await watched.next("20 waiting", ({ acceptQueue }) => acceptQueue === 20);
    await watched.next("an interval in which nothing happens", ({ acceptRate }) => acceptRate === 0);
    const accepted = watched.reports.reduce(
      (sum, { acceptRate, time }, at, all) => sum + acceptRate * (time - Number(all[at - 1]?.time ?? 0)),
      0,
    );
    assert.ok(Math.abs(accepted - 45) < 1e-6, `${accepted} accepted`);
  });

  it("is unknown, with the reason, when several listen and one of them accepts", async () => {
    await server.tell("open", "127.0.0.1", 8204, 100);
    await server.tell("open", "127.0.0.1", 8205, 100);
    const watched = await start(":8205");
    await watched.next("a report", () => true);
    await server.tell("connect", "127.0.0.1", 8204, 10);
    await server.tell("accept", 0, 10);
    const report = await watched.line("an unknown rate", ({ acceptRate }) => acceptRate === null);
    assert.match(report.acceptRateUnknown, /all 2 listening addresses of this network namespace together/);
    assert.ok(report.namespace.acceptRate > 0);
    const text = await LabWatch.start(lab, ":8205", "--interval", "0.2", "--for", "1.5");
    await server.tell("connect", "127.0.0.1", 8204, 10);
    await server.tell("accept", 0, 10);
    const { stdout } = await text.ended;
    assert.match(stdout, /127\.0\.0\.1:8205 {2}accept queue 0 of 101,.*accepted per second (–|0) {2}namespace: /);
  });

  it("drops are the listener's own, and --alert drops looks at them alone", async () => {
    await server.tell("open", "127.0.0.1", 8206, 2);
    await server.tell("open", "127.0.0.1", 8207, 2);
    const calm = await start(":8206", "--alert", "drops");
    const full = await start(":8207", "--alert", "drops");
    await calm.next("a report", () => true);
    await server.tell("connect", "127.0.0.1", 8207, 8);
    const { code } = await full.ended;
    assert.equal(code, 2);
    const { summary } = full.lines.at(-1);
    assert.match(summary.reason, /^ALERT: the kernel dropped [\d,]+ segments? at a watched listener$/);
    assert.ok(summary.drops >= 1);
    const report = await calm.next("drops of the namespace", ({ namespace }) => namespace.dropsEver >= 5);
    assert.equal(report.dropsEver, 0, "of this listener");
    assert.equal((await calm.stop()).code, 0);
  });

  it("listeners at two addresses are told apart, and each takes its own clients", async () => {
    await server.tell("open", "127.0.0.2", 8006, 10);
    await server.tell("open", "127.0.0.3", 8006, 10);
    await server.tell("open", "::1", 8006, 20);
    await server.tell("connect", "127.0.0.2", 8006, 5);
    await server.tell("connect", "::1", 8006, 3);
    const port = await start("8006");
    await port.line("the IPv6 listener", of("[::1]:8006"));
    await port.next("a whole interval", of("[::1]:8006"));
    const queues = new Map(
      port.reports.map(({ listener, acceptQueue, maximum, listeners }) => [
        listener,
        [acceptQueue, maximum, listeners],
      ]),
    );
    assert.deepEqual(Object.fromEntries(queues), {
      "127.0.0.2:8006": [5, 10, 1],
      "127.0.0.3:8006": [0, 10, 1],
      "[::1]:8006": [3, 20, 1],
    });
    const one = await start("127.0.0.2:8006");
    await one.next("a report", () => true);
    assert.deepEqual([...new Set(one.reports.map(({ listener }) => listener as string))], ["127.0.0.2:8006"]);
    const { code, stderr } = await (await LabWatch.start(lab, ":8006", "--record", "/nonexistent/x")).ended;
    assert.equal(code, 1);
    assert.match(stderr, /one address and port.*127\.0\.0\.2:8006, 127\.0\.0\.3:8006, \[::1\]:8006\.\s+→ Name one/);
  });

  it("[::] that takes IPv4, [::] that does not, and 0.0.0.0 beside it", async () => {
    await server.tell("open", "::", 8002, 10);
    await server.tell("open", "::", 8003, 10, "v6only");
    await server.tell("open", "0.0.0.0", 8003, 10);
    await server.tell("connect", "127.0.0.1", 8002, 2);
    await server.tell("connect", "::1", 8002, 2);
    await server.tell("connect", "::1", 8003, 7);
    const dual = await start("[::]:8002");
    const pair = await start("*:8003");
    const both = await dual.next("a report", () => true);
    assert.deepEqual([both.ip, both.acceptQueue, both.listeners], ["v4+v6", 4, 1]);
    const six = await pair.line("IPv6", of("[::]:8003"));
    const four = await pair.line("IPv4", of("0.0.0.0:8003"));
    assert.deepEqual([six.ip, six.acceptQueue, four.ip, four.acceptQueue], ["v6", 7, "v4", 0]);
  });

  it("the SYN queue of an address is its own: the kernel gives a SYN to the exact address before the wildcard", async () => {
    const wired = await Lab.open();
    const inside = await DrivenServer.inLab(wired);
    try {
      const wildcard = await wired.listen({ port: 8443, backlog: 100, reusePort: true });
      await inside.tell("open", wired.address, 8443, 100, "reuseport");
      await inside.tell("open", "127.0.0.1", 8443, 100, "reuseport");
      await (await wired.flood(wildcard, { count: 7 })).finished();
      const watched = await LabWatch.start(wired, ":8443", "--json", "--interval", "0.2", "--for", "20");
      const exact = `${wired.address}:8443`;
      await watched.next("7 requests", ({ listener, synQueue }) => listener === exact && synQueue === 7);
      await watched.next("a whole interval", of(exact));
      await watched.stop();
      const others = watched.reports.filter(({ listener }) => listener !== exact);
      assert.deepEqual([...new Set(others.map(({ listener, synQueue }) => `${listener} ${synQueue}`))].sort(), [
        "0.0.0.0:8443 0",
        "127.0.0.1:8443 0",
      ]);
    } finally {
      inside.kill();
      await wired.close();
    }
  });

  it("a SO_REUSEPORT group is summed, and each socket's queue is shown; it grows, shrinks and gets another backlog", async () => {
    const address = "127.0.0.1:8102";
    await server.tell("open", "127.0.0.1", 8102, 5, "reuseport");
    const watched = await start(":8102");
    await watched.next("one socket", ({ listeners }) => listeners === 1);
    await server.tell("open", "127.0.0.1", 8102, 50, "reuseport");
    const two = await watched.next("two sockets", ({ listeners }) => listeners === 2);
    assert.deepEqual([two.listener, two.maximum, two.places], [address, 55, 57]);
    assert.deepEqual(two.queues.map(({ maximum }: Line) => maximum as number).sort(), [5, 50]);
    await server.tell("listen", 1, 70);
    await watched.next("the new limit", ({ maximum }) => maximum === 75);
    await server.tell("close", 0);
    const left = await watched.next("one socket again", ({ listeners }) => listeners === 1);
    assert.equal(left.maximum, 70);
    assert.deepEqual(watched.events, ["changed", "changed", "changed"]);
    const details = watched.lines.flatMap(({ detail }) => (detail as string | undefined) ?? []);
    assert.deepEqual(details, [
      `${address} now has 2 listening sockets: 1 opened, 0 closed.`,
      `The queue limit of ${address} is now 70. It was 50.`,
      `${address} now has 1 listening socket: 0 opened, 1 closed.`,
    ]);
  });

  it("a queue of backlog 0 is full with one connection", async () => {
    await server.tell("open", "127.0.0.1", 8104, 0);
    const watched = await start(":8104", "--alert", "100%");
    await watched.next("a report", () => true);
    await server.tell("connect", "127.0.0.1", 8104, 1);
    const { code } = await watched.ended;
    assert.equal(code, 2);
    assert.equal(watched.lines.at(-1).summary.reason, "ALERT: an accept queue of 127.0.0.1:8104 was 100 % full");
  });

  it("the TCP listener of an MPTCP socket is marked, with the MPTCP connections in its queue", async function () {
    if (!existsSync("/proc/sys/net/mptcp/enabled")) skip(this, "this kernel has no MPTCP");
    await server.tell("open", "0.0.0.0", 8007, 10, "mptcp");
    await server.tell("connect", "127.0.0.1", 8007, 3, "mptcp");
    const watched = await start(":8007");
    const { protocol, acceptQueue } = await watched.next("3 waiting", (report) => report.acceptQueue === 3);
    assert.deepEqual([protocol, acceptQueue], ["mptcp", 3]);
  });

  it("the table of every listener has addresses, own drops and UNIX listeners", async () => {
    await server.tell("open", "127.0.0.2", 8301, 1);
    await server.tell("open", "127.0.0.3", 8301, 5);
    await server.tell("unix", "@one-listener-test", 3);
    await server.tell("unix", "@one-listener-idle", 3);
    const watched = await start();
    await watched.line("a table", () => true);
    await server.tell("connect", "127.0.0.2", 8301, 6);
    await server.tell("connectunix", "@one-listener-test", 2);
    const table = await watched.line(
      "the drops and both queues",
      ({ listeners, unix }) =>
        listeners?.some(({ drops }: Line) => drops >= 1) && unix?.some(({ acceptQueue }: Line) => acceptQueue === 2),
    );
    const rows = table.listeners.map(({ listener, acceptQueue, drops }: Line) => [listener, acceptQueue, drops > 0]);
    assert.deepEqual(rows, [
      ["127.0.0.2:8301", 2, true],
      ["127.0.0.3:8301", 0, false],
    ]);
    const { stdout } = await (await LabWatch.start(lab, "--for", "0.3")).ended;
    assert.match(stdout, /^@one-listener-test +2 +3 +50 % +2 +python3/m);
    assert.match(stdout, /^1 UNIX listener with an empty accept queue: --json lists them\.$/m);
  });
});

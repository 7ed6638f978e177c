import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { inProject } from "../fixtures/project";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { until as waitUntil } from "../fixtures/waiting";
import { ArgumentError } from "../../dist/errors";
import type { Lab } from "../../dist/front-door";
import { type EmfilePolicy, epollServer, type EpollServerReport } from "../../dist/server/epoll-server";

/** The policies as notebook 06 has them on its page. */
function policiesOfTheNotebook(): Record<"continue" | "edge" | "pause" | "reserve" | "free", EmfilePolicy> {
  const { cells } = JSON.parse(readFileSync(inProject("notebooks", "06-out-of-descriptors.ipynb"), "utf8")) as {
    cells: { source: string[] }[];
  };
  const source = cells.map((cell) => cell.source.join("")).find((text) => text.startsWith("const policies ="));
  assert.ok(source !== undefined, "a cell of notebook 06 defines the policies");
  // the cell is a part of this project, and what it evaluates to is what is tested
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  return new Function(`${source.replace(/^type .*$/gm, "")}\nreturn policies;`)() as Record<
    "continue" | "edge" | "pause" | "reserve" | "free",
    EmfilePolicy
  >;
}

describe("out of descriptors, 40 for 80 clients", function () {
  this.timeout(30_000);
  let policies: Record<"continue" | "edge" | "pause" | "reserve" | "free", EmfilePolicy>;
  let lab: Lab;
  before(() => void (policies = policiesOfTheNotebook()));
  labOfSuite((opened) => (lab = opened), { wire: false });
  let port = 8080;

  /** A server with one of the policies, and its clients. */
  async function start(policy: EmfilePolicy) {
    port++;
    const program = await lab.spawn("python3", ["-c", epollServer(port, policy)], { limits: { nofile: 40 } });
    let report: EpollServerReport | undefined;
    const output = createInterface({ input: program.stdout }).on("line", (line) => {
      if (line.startsWith("{")) report = JSON.parse(line) as EpollServerReport;
    });
    await new Promise((resolve) => output.once("line", resolve).once("close", resolve));
    const queue = () => lab.sockets({ port, states: ["LISTEN"] })[0]?.receiveQueue ?? -1;
    /** A report of which something holds. */
    const until = (holds: (report: EpollServerReport) => boolean) =>
      waitUntil(
        () => report && holds(report) && report,
        () => `such a report (the last one: ${JSON.stringify(report)})`,
      );
    /** The next report but one: what is in it happened after the call. */
    const settled = async () => {
      for (let times = 0; times < 2; times++) {
        const { seconds } = await until(() => true);
        await until((now) => now.seconds > seconds);
      }
      return until(() => true);
    };
    const crowd = await lab.connect(port, { clients: 80 });
    assert.equal(crowd.counts().refused + crowd.counts().reset, 0, "nobody is refused, whatever the policy");
    await until(({ failed }) => failed > 0);
    return {
      program,
      crowd,
      queue,
      until,
      settled,
      close: async () => {
        await crowd.close();
        await program.close();
      },
    };
  }

  it("continue: the loop spins and takes nobody", async () => {
    const server = await start(policies.continue);
    const first = await server.settled();
    const later = await server.until(({ failed }) => failed > first.failed + 1000);
    assert.ok(later.failed > first.failed + 1000, `${later.failed - first.failed} failures more`);
    assert.deepEqual([later.held, server.queue()], [first.held, 80 - first.held]);
    await server.close();
  });

  it("edge: a descriptor that becomes free wakes nobody, a newcomer does", async () => {
    const server = await start(policies.edge);
    const full = await server.settled();
    const waiting = server.queue();
    assert.equal(full.held + waiting, 80);
    await server.program.kill("SIGUSR1");
    await server.until(({ ended }) => ended === 5);
    const freed = await server.settled();
    assert.deepEqual(
      [freed.held, server.queue(), freed.wakeups],
      [full.held - 5, waiting, full.wakeups],
      "five are free, and it sleeps",
    );
    const newcomer = await lab.connect(port);
    const woken = await server.until(({ held }) => held === full.held);
    assert.deepEqual([woken.held, server.queue()], [full.held, waiting + 1 - 5]);
    await newcomer.close();
    await server.close();
  });

  it("pause: few wake-ups, and it goes on by itself when descriptors are free", async () => {
    const server = await start(policies.pause);
    const full = await server.settled();
    const waiting = server.queue();
    await server.program.kill("SIGUSR1");
    const freed = await server.until(({ held, ended }) => ended === 5 && held === full.held);
    assert.deepEqual([freed.held, server.queue()], [full.held, waiting - 5]);
    assert.ok(freed.failed < 100, `${freed.failed} failures: it does not spin`);
    await server.close();
  });

  it("reserve: who finds no room is closed at once, and the queue is empty", async () => {
    const server = await start(policies.reserve);
    const full = await server.until(({ held, ended }) => held + ended === 80);
    assert.deepEqual([full.held + full.ended, server.queue()], [80, 0]);
    await server.crowd.until(({ closedByServer }) => closedByServer === full.ended, { timeout: 2000 });
    assert.ok(full.ended > 0);
    assert.equal(server.crowd.counts().closedByServer, full.ended);
    const newcomer = await lab.connect(port);
    assert.ok(
      await newcomer.until(({ closedByServer }) => closedByServer === 1, { timeout: 2000 }),
      "the spare descriptor is back",
    );
    await newcomer.close();
    await server.close();
  });

  it("free: earlier ones are ended for those who wait", async () => {
    const server = await start(policies.free);
    const full = await server.until(({ held, ended }) => held + ended === 80);
    assert.deepEqual([full.held + full.ended, server.queue()], [80, 0]);
    assert.ok(full.held > 20 && full.ended > 0);
    await server.close();
  });

  it("a policy says what to do", () => {
    assert.throws(() => epollServer(8080, { onEmfile: " " }), ArgumentError);
    assert.throws(() => epollServer(0, { onEmfile: "pass" }), /port/);
    assert.match(
      epollServer(8080, { onEmfile: "one()\nif two:\n    three()" }),
      /\n {12}one\(\)\n {12}if two:\n {16}three\(\)\n/,
    );
    assert.match(
      epollServer(8080, { onEmfile: "pass", events: "EPOLLIN | EPOLLET" }),
      /register\(listener, select\.EPOLLIN \| select\.EPOLLET\)/,
    );
  });
});

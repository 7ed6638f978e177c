import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { type Lab, Trace } from "one-listener";
import { folderOfSuite } from "../fixtures/temporary-folder";
import { type DrivenServer, LabWatch, watchesOfSuite } from "./watched";

describe("one-listener watch when listeners come and go", function () {
  this.timeout(60_000);
  let lab: Lab;
  const folder = folderOfSuite("watch-follow").place;
  let server: DrivenServer;
  const start = watchesOfSuite(
    (opened) => (lab = opened),
    (made) => (server = made),
  );

  it("without --follow the end of the listener ends the watch, also if another takes its place at once", async () => {
    await server.tell("open", "127.0.0.1", 8110, 5);
    const watched = await start(":8110");
    await watched.next("a report", () => true);
    await server.tell("close", 0);
    await server.tell("open", "127.0.0.1", 8110, 5);
    const { code } = await watched.ended;
    assert.equal(code, 3);
    assert.match(
      watched.lines.at(-1).summary.reason,
      /^The listener on 127\.0\.0\.1:8110 was closed(, and another one listens there now)?\.$/,
    );
  });

  it("--follow shows a gap as a gap and goes on; the recording has both events", async () => {
    const file = path.join(folder, "follow.trace");
    await server.tell("open", "127.0.0.1", 8111, 5);
    await server.tell("connect", "127.0.0.1", 8111, 2);
    const watched = await start(":8111", "--follow", "--record", file);
    await watched.next("2 waiting", ({ acceptQueue }) => acceptQueue === 2);
    await server.tell("close", 0);
    const gap = await watched.next("the gap", ({ listeners }) => listeners === 0);
    assert.deepEqual(
      [gap.acceptQueue, gap.maximum, gap.places, gap.full, gap.synQueue, gap.acceptRate],
      [null, null, null, null, null, null],
    );
    assert.match(gap.acceptRateUnknown, /no socket listens/);
    const later = await watched.next("a longer gap", ({ absent }) => absent > 0.4);
    assert.equal(later.listeners, 0);
    await server.tell("open", "127.0.0.1", 8111, 9);
    await server.tell("connect", "127.0.0.1", 8111, 4);
    const back = await watched.next("4 waiting", ({ acceptQueue }) => acceptQueue === 4);
    assert.deepEqual([back.listeners, back.maximum], [1, 9]);
    const { code } = await watched.stop();
    assert.equal(code, 0);
    assert.deepEqual(watched.events, ["closed", "listening"]);
    const trace = await Trace.load(file);
    assert.deepEqual(
      trace.events.map(({ name }) => name),
      ["closed", "listening"],
    );
    const [closed, listening] = trace.events;
    assert.equal(trace.at((closed.time + listening.time) / 2).acceptQueue, 0);
    assert.equal(trace.at(trace.end).acceptQueue, 4);
    assert.match(trace.meta.name!, /^127\.0\.0\.1:8111 \(counters of its whole network namespace\)$/);
  });

  it("the accepted rate of an interval in which a listener was closed is unknown: its waiting connections were not accepted", async () => {
    await server.tell("open", "127.0.0.1", 8112, 50);
    await server.tell("connect", "127.0.0.1", 8112, 40);
    const watched = await start(":8112", "--follow");
    await watched.next("40 waiting", ({ acceptQueue }) => acceptQueue === 40);
    await server.tell("close", 0);
    await watched.next("the gap", ({ listeners }) => listeners === 0);
    await server.tell("open", "127.0.0.1", 8112, 50);
    await watched.next("the return", ({ acceptQueue }) => acceptQueue === 0);
    await watched.next("a quiet interval", ({ acceptRate }) => acceptRate === 0);
    assert.ok(watched.reports.every(({ acceptRate, namespace }) => !acceptRate && !namespace.acceptRate));
  });

  it("--wait starts before the server listens", async () => {
    const watched = await start("127.0.0.1:8113", "--wait");
    await watched.line("waiting", ({ event }) => event === "waiting");
    await server.tell("open", "127.0.0.1", 8113, 5);
    await server.tell("connect", "127.0.0.1", 8113, 1);
    await watched.next("its queue", ({ acceptQueue }) => acceptQueue === 1);
    assert.deepEqual(watched.events, ["waiting", "listening"]);
    await server.tell("close", 0);
    assert.equal((await watched.ended).code, 3, "without --follow");
  });

  it("--wait that waits in vain ends with 3, and leaves no recording", async () => {
    const file = path.join(folder, "nothing.trace");
    const { code, stdout } = await (
      await LabWatch.start(lab, ":8114", "--wait", "--for", "0.5", "--record", file)
    ).ended;
    assert.equal(code, 3);
    assert.match(stdout, /^0\.0 s {2}No socket listens on port 8114 yet\.$/m);
    assert.match(stdout, /^No socket has listened on port 8114\.$/m);
    assert.ok(!existsSync(file));
  });

  it("of two listeners on a port the end of one is told, and the watch goes on with the other", async () => {
    await server.tell("open", "127.0.0.2", 8115, 5);
    await server.tell("open", "127.0.0.3", 8115, 5);
    const watched = await start(":8115");
    await watched.next("the second", ({ listener }) => listener === "127.0.0.3:8115");
    await server.tell("close", 0);
    await watched.line("its end", ({ event, listener }) => event === "closed" && listener === "127.0.0.2:8115");
    await watched.next("the other", ({ listener }) => listener === "127.0.0.3:8115");
    await server.tell("close", 1);
    assert.equal((await watched.ended).code, 3);
    assert.equal(watched.lines.at(-1).summary.listeners.length, 2);
  });
});

import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { LabHost } from "../../dist/lab/host";
import { type AcceptorOptions, native } from "../../dist/native";
import { threadStates } from "../fixtures/processes";
import { sleep, until } from "../fixtures/waiting";
import { connecting, type Listening, listening } from "./listening";

describe("Acceptor", () => {
  let host: LabHost;
  let listener: Listening;
  let open: number[];
  let batches: number[][];

  before(async () => {
    host = await LabHost.open({ wire: false });
  });
  after(() => host.close());
  beforeEach(async () => {
    listener = await listening(host, { backlog: 2000 });
    open = [listener.fd];
    batches = [];
  });
  afterEach(() => native.closeLater(Int32Array.from(open)));

  const connect = async (count: number) => {
    const fds = await connecting(host, listener.port, count);
    open.push(...fds);
    return fds;
  };
  const acceptor = (options: Partial<AcceptorOptions> = {}) =>
    new native.Acceptor({
      listenerFd: listener.fd,
      rate: 0,
      limit: 0,
      mode: "keep",
      onBatch: (fds) => void (batches.push(Array.from(fds)), open.push(...fds)),
      ...options,
    });
  const handed = () => batches.flat();
  /** Until the loop's thread sleeps in epoll_wait(2). */
  const waiting = () => until(() => threadStates("acceptor").join() === "S", "the loop waits");
  const ended = () => batches.length > 0 && batches.at(-1)!.length === 0;

  it("keeps: hands over every descriptor once, and an empty batch once at the end", async () => {
    const clients = await connect(700);
    const loop = acceptor();
    assert.equal(loop.stats().running, false);
    loop.start();
    await until(() => handed().length === 700, "700 handed over");
    assert.equal(loop.stats().accepted, 700);
    assert.equal(loop.stats().running, true);
    assert.equal(new Set(handed()).size, 700);
    const peers = handed().map((fd) => native.getpeername(fd).port);
    assert.deepEqual(peers.sort(), Array.from(clients, (fd) => native.getsockname(fd).port).sort());
    await loop.stop();
    assert.ok(ended());
    assert.equal(batches.filter((fds) => fds.length === 0).length, 1);
    assert.equal(loop.stats().running, false);
    assert.equal(loop.stats().error, 0);
  });

  it("hands over non-blocking descriptors in few batches", async () => {
    await connect(1000);
    const loop = acceptor();
    loop.start();
    await until(() => handed().length === 1000, "1000 handed over");
    assert.equal(native.recv(handed()[0], new Uint8Array(1)), -1);
    assert.ok(batches.length <= 100, `${batches.length} batches`);
    await loop.stop();
  });

  it("takes what comes while it waits", async () => {
    const loop = acceptor();
    loop.start();
    await waiting();
    const { wakeups } = loop.stats();
    await sleep(100); // time in which nothing may happen
    assert.ok(loop.stats().wakeups - wakeups <= 5, "an idle loop sleeps");
    await connect(1);
    await until(() => handed().length === 1, "the late one is handed over");
    await loop.stop();
  });

  it("closes: clients see the end at once and nothing is handed over", async () => {
    const clients = await connect(50);
    const loop = acceptor({ mode: "close" });
    loop.start();
    await until(() => loop.stats().accepted === 50, "50 accepted");
    const into = new Uint8Array(1);
    await until(() => clients.every((fd) => native.recv(fd, into) === 0), "every client sees FIN");
    await loop.stop();
    assert.deepEqual(batches, [[]]);
  });

  it("accepts at its rate, evenly, and does not make up for turns in which no connection came", async () => {
    const loop = acceptor({ mode: "close", rate: 200 });
    loop.start();
    await sleep(200); // 40 turns without a connection
    const start = native.now();
    await connect(300);
    // a thread that gets no CPU may be late, but one that keeps its pace is never early, wherever one looks
    while (loop.stats().accepted < 100) {
      const { accepted } = loop.stats();
      const elapsed = native.now() - start;
      assert.ok(accepted <= elapsed * 0.21 + 8, `${accepted} accepted in ${elapsed.toFixed(0)} ms at 200 per second`);
      await sleep(2);
    }
    // and on time, at least once in ten times on the busiest machine
    for (let round = 1; ; round++) {
      const [before, from] = [loop.stats().accepted, native.now()];
      await until(() => loop.stats().accepted >= before + 20, "20 more");
      const [more, elapsed] = [loop.stats().accepted - before, native.now() - from];
      if (more >= elapsed * 0.19 - 2) break;
      assert.ok(round < 10, `${more} accepted in ${elapsed.toFixed(0)} ms at 200 per second`);
    }
    await loop.stop();
  });

  it("changes its rate while it runs", async () => {
    await connect(400);
    const loop = acceptor({ mode: "close", rate: 0.01 });
    loop.start();
    await waiting();
    await sleep(50); // time in which nothing may happen
    assert.ok(loop.stats().accepted <= 1);
    loop.setRate(0);
    await until(() => loop.stats().accepted === 400, "the rest at full speed");
    await loop.stop();
    assert.throws(() => acceptor().setRate(-1), RangeError);
    assert.throws(() => acceptor().setRate(NaN), RangeError);
  });

  it("pauses and resumes", async () => {
    const loop = acceptor();
    loop.pause();
    loop.start();
    await connect(5);
    await sleep(50); // time in which nothing may happen
    assert.deepEqual([loop.stats().accepted, loop.stats().paused, loop.stats().running], [0, true, true]);
    loop.resume();
    await until(() => handed().length === 5, "accepted after resume()");
    loop.pause();
    await connect(3);
    await sleep(50); // time in which nothing may happen
    assert.equal(loop.stats().accepted, 5);
    assert.equal(native.tcpInfo(listener.fd).unacked, 3);
    await loop.stop();
  });

  it("ends by itself at its limit and leaves the rest in the queue", async () => {
    await connect(20);
    const loop = acceptor({ limit: 12 });
    loop.start();
    await until(ended, "the end is announced");
    assert.deepEqual(
      [handed().length, loop.stats().accepted, loop.stats().running, loop.stats().error],
      [12, 12, false, 0],
    );
    assert.equal(native.tcpInfo(listener.fd).unacked, 8);
    await loop.stop();
    assert.equal(batches.filter((fds) => fds.length === 0).length, 1);
  });

  it("ends with an error when the listener listens no more", async () => {
    const loop = acceptor();
    loop.start();
    await waiting();
    native.shutdown(listener.fd, 0);
    await until(ended, "the end is announced");
    assert.deepEqual([loop.stats().running, loop.stats().error], [false, 22]);
    await loop.stop();
  });

  it("ends with an error when the listener is closed under it, even if its number is taken again", async () => {
    for (const again of [false, true]) {
      batches = [];
      const doomed = await listening(host);
      const loop = acceptor({ listenerFd: doomed.fd });
      loop.start();
      await waiting();
      native.close(doomed.fd);
      if (again) {
        const successor = await listening(host);
        open.push(successor.fd);
        assert.equal(successor.fd, doomed.fd);
        open.push(...(await connecting(host, successor.port, 1)));
      }
      await until(ended, "the end is announced");
      assert.equal(loop.stats().error, 9);
      assert.equal(loop.stats().accepted, 0);
      await loop.stop();
    }
  });

  it("waits when the process has no descriptor left, without spinning, and goes on when there is one", function () {
    this.timeout(15_000);
    const script = path.join(__dirname, "acceptor-at-its-limit.js");
    const found = JSON.parse(
      execFileSync("sh", ["-c", 'ulimit -n 64; exec "$0" "$1"', process.execPath, script], { encoding: "utf8" }),
    );
    assert.ok(found.accepted > 5 && found.accepted < 64, `${found.accepted} accepted under a limit of 64`);
    assert.ok(
      found.exhausted >= 20 && found.exhausted <= found.elapsed / 10 + 2, // it waits 10 ms after each
      `${found.exhausted} EMFILE answers in ${found.elapsed} ms`,
    );
    assert.ok(found.cpu < found.elapsed / 4, `${found.cpu} ms of CPU in ${found.elapsed} ms`);
    assert.equal(found.afterwards, found.accepted + found.freed);
  });

  it("hands over by a last batch what was accepted when stop() came", async () => {
    await connect(300);
    const loop = acceptor();
    loop.start();
    const stopped = loop.stop();
    await stopped;
    assert.ok(ended());
    assert.equal(handed().length, loop.stats().accepted);
    assert.equal(handed().length + native.tcpInfo(listener.fd).unacked, 300);
  });

  it("goes on after an onBatch that throws", async () => {
    const listeners = process.rawListeners("uncaughtException") as NodeJS.UncaughtExceptionListener[];
    process.removeAllListeners("uncaughtException");
    const caught: Error[] = [];
    process.on("uncaughtException", (error) => caught.push(error));
    try {
      const loop = acceptor({
        onBatch: (fds) => {
          batches.push(Array.from(fds));
          open.push(...fds);
          if (batches.length === 1) throw new Error("the first batch");
        },
      });
      loop.start();
      await connect(1);
      await until(() => batches.length === 1, "a first batch");
      await connect(1);
      await until(() => handed().length === 2, "a second batch");
      await loop.stop();
      assert.deepEqual(
        caught.map((error) => error.message),
        ["the first batch"],
      );
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const each of listeners) process.on("uncaughtException", each);
    }
  });

  it("may be stopped twice, before its start, and from its own callback; not started twice", async () => {
    const unused = acceptor();
    await unused.stop();
    assert.throws(() => unused.start(), Error);
    await connect(1);
    let inside: Promise<void> | undefined;
    const loop = acceptor({
      onBatch: (fds) => {
        open.push(...fds);
        inside ??= loop.stop();
      },
    });
    loop.start();
    assert.throws(() => loop.start(), /start/);
    await until(() => inside !== undefined, "onBatch");
    await Promise.all([inside, loop.stop(), loop.stop()]);
    assert.equal(loop.stats().running, false);
    loop.pause();
    loop.resume();
    loop.setRate(5);
    assert.throws(() => loop.start(), Error);
  });

  it("refuses wrong options and a wrong this", () => {
    assert.throws(() => acceptor({ rate: -1 }), RangeError);
    assert.throws(() => acceptor({ limit: 1.5 }), RangeError);
    assert.throws(() => acceptor({ listenerFd: -1 }), RangeError);
    assert.throws(() => acceptor({ mode: "drop" as "keep" }), /mode/);
    assert.throws(() => acceptor({ onBatch: undefined }), TypeError);
    assert.throws(() => new (native.Acceptor as any)(), TypeError);
    assert.throws(() => native.Acceptor.prototype.stats.call({} as any), TypeError);
    assert.throws(() => native.Acceptor.prototype.start.call(Object.create(native.Acceptor.prototype)), TypeError);
    assert.throws(() => (native.Acceptor as any)({}), TypeError);
  });
});

import { setTimeout as wait } from "node:timers/promises";
import { plot } from "one-listener";
import { native } from "one-listener/native";
import { defineCheck, listening, Reader, readers, remains } from "one-listener/exercise";

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const port = 8080;
  const limit = integer(5, 10);
  const handleMs = 30;
  const clients = limit * 10;
  /** of the clients, so many are read */
  const some = 5;
  let most = 0;
  let full = 0;
  let answered = 0;
  let refused = 0;
  let tooEarly = 0;
  let read: Reader[] = [];
  let left = "";

  before(`${clients} clients at once, ${limit} places`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port, limit, handleMs });
    const listeners = await listening(lab, port, server);
    that(listeners.length > 0, {
      did: "Your function was started",
      expected: "a listener within 3 s",
      measured: "none",
    });
    that(listeners[0].sendQueue + 1 >= clients, {
      did: `${clients} clients are about to come at once`,
      expected: "a backlog in which they can wait",
      measured: `room for ${listeners[0].sendQueue + 1}`,
    });
    read = readers(
      lab,
      port,
      Array.from({ length: some }, () => integer(0, 100)),
    );
    const crowd = await lab.connect(port, { clients: clients - some, quiet: 0 });
    const times: number[] = [];
    const accepted: number[] = [];
    const begin = native.now();
    /** by the client's port: a moment at which it was still in the queue */
    const waitedAt = new Map<number, number>();
    let wanted = 0;
    let used = 0;
    const over = () => crowd.counts().closedByServer + read.filter((each) => each.over).length;
    while (over() < clients && native.now() - begin < 2500) {
      // Who is accepted has a descriptor, and with it an inode; who waits has none. The kernel tells its table bit by bit, and meanwhile one
      // may go and the next come; who is in two tables was there all the time between.
      const now = native.now();
      const [first, second] = [0, 1].map(() => lab.sockets({ port, states: ["ESTABLISHED"] }));
      const inodes = new Set(first.map(({ inode }) => inode).filter((inode) => inode > 0));
      const atWork = second.filter(({ inode }) => inodes.has(inode)).length;
      const waiting = second.filter(({ inode }) => inode === 0);
      for (const { remote } of waiting) waitedAt.set(remote.port, now);
      times.push((now - begin) / 1000);
      accepted.push(atWork);
      most = Math.max(most, atWork);
      if (waiting.length > 0) {
        wanted++;
        if (atWork >= limit - 1) used++;
      }
      await wait(2);
    }
    full = wanted > 0 ? used / wanted : Number(most >= limit);
    /** It was accepted after that moment at the earliest; timers may fire a millisecond early. */
    const early = (localPort: number, connectAt: number, end: number) =>
      end - Math.max(connectAt, waitedAt.get(localPort) ?? -Infinity) < handleMs - 2;
    const { startedAt } = crowd.natives[0];
    for (let at = 0; at < crowd.length; at++) {
      const { bytesReceived, state, localPort, connectAt, changedAt } = crowd.at(at);
      if (bytesReceived !== 4 || state !== "closedByServer") {
        if (state === "closedByServer" || state === "reset") refused++;
        continue;
      }
      answered++;
      if (early(localPort, startedAt + connectAt, startedAt + changedAt)) tooEarly++;
    }
    for (const { text, end, localPort, connectAt, answeredAt } of read) {
      if (text !== "done" || end !== "closed") {
        if (end === "closed" || end === "reset") refused++;
        continue;
      }
      answered++;
      if (early(localPort, connectAt, answeredAt)) tooEarly++;
    }
    picture(
      plot.lines(
        [
          { name: "accepted, at work", x: times, y: accepted, steps: true },
          { name: `the limit, ${limit}`, x: [0, times.at(-1) ?? 1], y: [limit, limit], dash: "dash" },
        ],
        { xTitle: "time, s", yTitle: "connections" },
      ),
    );
    for (const each of read) each.close();
    await crowd.close();
    left = await remains(lab, port, server);
  });

  it("never more than the limit", 2, () => {
    that(answered > 0, {
      did: `${clients} clients came at once`,
      expected: "some of them are handled",
      measured: "nobody was answered and closed",
    });
    that(most <= limit, {
      did: `${clients} clients came at once, and the accepted ones were counted in the kernel's table`,
      expected: `${limit} at most`,
      measured: `${most}`,
      read: "notebook 09, The semaphore",
    });
  });
  it("everybody is answered, after the work", 2, () => {
    const other = read.find(({ text }) => text !== "" && text !== "done");
    that(answered === clients, {
      did: `The clients were counted at the end, and ${some} of them were read`,
      expected: `all ${clients} have done (4 bytes), and the connection is closed`,
      measured: other
        ? `one of them read ${JSON.stringify(other.text.slice(0, 100))}`
        : `${answered} have both, ${refused} were closed or reset without an answer`,
    });
    that(tooEarly === 0, {
      did: "The kernel's table told when each client still waited, and from then on it was timed",
      expected: `${handleMs} ms of handling before its answer and its end`,
      measured: `${tooEarly} had less`,
    });
  });
  it("the limit is used", 2, () => {
    that(answered > 0 && full >= 0.5, {
      did: "While somebody waited in the queue, the accepted ones were counted",
      expected: `${limit} or one less, at least half of the time`,
      measured: `${Math.round(full * 100)} % of the time`,
    });
  });
  it("ends when it is told to", 1, () => {
    that(left === "", {
      did: "The signal was aborted",
      expected: "no listener is left, and your function has returned",
      measured: left,
    });
  });
});

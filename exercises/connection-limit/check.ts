import { setTimeout as wait } from "node:timers/promises";
import { native, plot } from "one-listener";
import { defineCheck, listening } from "one-listener/exercise";

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const port = 8080;
  const limit = integer(5, 10);
  const handleMs = 30;
  const clients = limit * 10;
  let most = 0;
  let full = 0;
  let answered = 0;
  let refused = 0;

  before(`${clients} clients at once, ${limit} places`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port, limit, handleMs });
    const listeners = await listening(lab, port, server);
    that(listeners.length > 0, { did: "Your function was started", expected: "a listener within 3 s", measured: "none" });
    that(listeners[0].sendQueue + 1 >= clients, { did: `${clients} clients are about to come at once`, expected: "a backlog in which they can wait", measured: `room for ${listeners[0].sendQueue + 1}` });
    const crowd = await lab.connect(port, { clients, quiet: 0 });
    const times: number[] = [];
    const accepted: number[] = [];
    const begin = native.now();
    // who is accepted has a descriptor, and with it an inode; who waits has none
    const inodes = () => lab.sockets({ port, states: ["ESTABLISHED"] }).map(({ inode }) => inode).filter((inode) => inode > 0);
    while (crowd.counts().closedByServer < clients && native.now() - begin < 2500) {
      // The kernel tells its table bit by bit, and meanwhile one may go and the next come; who is in two tables was there all the time between.
      const first = new Set(inodes());
      const now = inodes().filter((inode) => first.has(inode)).length;
      times.push((native.now() - begin) / 1000);
      accepted.push(now);
      most = Math.max(most, now);
      if (now >= limit - 1) full++;
      await wait(2);
    }
    full /= Math.max(1, accepted.filter((now) => now > 0).length);
    for (let at = 0; at < clients; at++) {
      const { bytesReceived, state } = crowd.at(at);
      if (bytesReceived === 4) answered++;
      else if (state === "closedByServer" || state === "reset") refused++;
    }
    picture(plot.lines([{ name: "accepted, at work", x: times, y: accepted, steps: true }, { name: `the limit, ${limit}`, x: [0, times.at(-1) ?? 1], y: [limit, limit], dash: "dash" }], { xTitle: "time, s", yTitle: "connections" }));
    await crowd.close();
    await server.stop();
  });

  it("never more than the limit", 3, () => {
    that(most <= limit, { did: `${clients} clients came at once, and the accepted ones were counted in the kernel's table`, expected: `${limit} at most`, measured: `${most}`, read: "notebook 09, The semaphore" });
  });
  it("everybody is answered", 2, () => {
    that(answered === clients, { did: "The clients were counted at the end", expected: `all ${clients} have 4 bytes (done)`, measured: `${answered} have, ${refused} were closed or reset without` });
  });
  it("the limit is used", 2, () => {
    that(full >= 0.5, { did: `While ${clients} clients wanted to be served, the accepted ones were counted`, expected: `${limit} or one less, at least half of the time`, measured: `${Math.round(full * 100)} % of the time` });
  });
});

import { setTimeout as wait } from "node:timers/promises";
import { native, plot } from "one-listener";
import { defineCheck, listening } from "one-listener/exercise";

const watched = 700;

export default defineCheck(({ before, it, that, lab: openLab, start, picture }) => {
  const port = 8080;
  const clients = 100;
  const nofile = 64;
  let servedFirst = 0;
  let waiting = 0;
  let share = 0;
  let alive = false;
  let servedAll = 0;

  before(`${clients} clients, ${nofile} descriptors`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port }, { nofile });
    const listeners = await listening(lab, port, server);
    that(listeners.length > 0, { did: "Your function was started", expected: "a listener within 3 s", measured: "none" });
    const recording = await lab.record(port, { live: false, hz: 200 });
    const crowd = await lab.connect(port, { clients });
    const served = () => Array.from({ length: clients }, (_, at) => crowd.at(at).bytesReceived).filter((bytes) => bytes === 2).length;
    await wait(200);
    servedFirst = served();
    waiting = lab.sockets({ port, states: ["LISTEN"] })[0]?.receiveQueue ?? 0;
    const [cpu, time] = [server.cpu(), native.now()];
    await wait(watched);
    share = (server.cpu() - cpu) / (native.now() - time);
    alive = server.running;
    // whoever has been served leaves, and makes room for those who wait
    for (let round = 0; round < 30 && served() < clients; round++) {
      await crowd.hangUp(Array.from({ length: clients }, (_, at) => at).filter((at) => crowd.at(at).bytesReceived === 2));
      await wait(50);
    }
    servedAll = served();
    alive &&= server.running;
    picture(plot.queueDepth(await recording.stop()));
    await crowd.close();
    await server.stop();
  });

  it("serves whom it has descriptors for", 1, () => {
    that(servedFirst >= 10 && waiting > 0, { did: `${clients} clients came to a process of ${nofile} descriptors`, expected: "some are answered, the rest waits in the accept queue", measured: `${servedFirst} are answered, ${waiting} wait` });
  });
  it("the server survives", 2, () => {
    that(alive, { did: "accept() failed with EMFILE", expected: "your function still runs", measured: "it has ended", read: "notebook 06, A server with 40 descriptors" });
  });
  it("without burning the processor", 2, () => {
    that(share < 0.5, { did: `The server's processor time was measured over ${watched} ms in which it can do nothing`, expected: "less than half of a core", measured: `${Math.round(share * 100)} % of a core`, read: "notebook 06, The spin" });
  });
  it("those who wait are served when others leave", 3, () => {
    that(servedAll === clients, { did: "Those who had been served closed their connections", expected: `soon all ${clients} have been answered`, measured: `${servedAll} have`, read: "notebook 06, Three ways out, and one that looks like one" });
  });
});

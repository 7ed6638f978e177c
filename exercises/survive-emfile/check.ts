import { setTimeout as wait } from "node:timers/promises";
import { plot } from "one-listener";
import { native } from "one-listener/native";
import { atRest, defineCheck, listening, Reader, readers, remains } from "one-listener/exercise";

const watched = 700;

export default defineCheck(({ before, it, that, lab: openLab, start, picture }) => {
  const port = 8080;
  const clients = 100;
  const nofile = 64;
  /** of the clients, so many are read: two who come first, three who come last */
  const some = 5;
  let read: Reader[] = [];
  let servedFirst = 0;
  let sentAway = 0;
  let left = "";
  let waiting = 0;
  let share = 0;
  let alive = false;
  let servedAll = 0;

  before(`${clients} clients, ${nofile} descriptors`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port }, { nofile });
    const listeners = await listening(lab, port, server);
    that(listeners.length > 0, {
      did: "Your function was started",
      expected: "a listener within 3 s",
      measured: "none",
    });
    const recording = await lab.record(port, { live: false, hz: 200 });
    read = readers(lab, port, [0, 0]);
    await wait(50);
    const crowd = await lab.connect(port, { clients: clients - some });
    read.push(...readers(lab, port, [0, 0, 0]));
    const places = Array.from({ length: crowd.length }, (_, at) => at);
    const served = () =>
      places.filter((at) => crowd.at(at).bytesReceived === 2).length + read.filter(({ text }) => text === "ok").length;
    await atRest(() => [served()], { quiet: 150, timeout: 1500 });
    servedFirst = served();
    waiting = lab.sockets({ port, states: ["LISTEN"] })[0]?.receiveQueue ?? 0;
    const [cpu, time] = [server.cpu(), native.now()];
    await wait(watched);
    share = (server.cpu() - cpu) / (native.now() - time);
    alive = server.running;
    sentAway = crowd.counts().closedByServer + read.filter(({ end }) => end === "closed").length;
    // whoever has been served leaves, and makes room for those who wait
    for (let round = 0; round < 40 && served() < clients; round++) {
      await crowd.hangUp(places.filter((at) => crowd.at(at).bytesReceived === 2));
      for (const each of read) if (each.text === "ok") each.close();
      await wait(50);
    }
    servedAll = served();
    alive &&= server.running;
    picture(plot.queueDepth(await recording.stop()));
    for (const each of read) each.close();
    await crowd.close();
    left = await remains(lab, port, server);
  });

  /** Whoever sends the clients away, or answers nobody, never runs out, and has survived nothing. */
  const ranOut = () =>
    that(servedFirst >= 10 && waiting > 0 && sentAway === 0, {
      did: `${clients} clients came to a process of ${nofile} descriptors, and stayed`,
      expected: "some are answered and stay connected, the rest waits in the accept queue",
      measured: `${servedFirst} are answered, ${sentAway} were closed by the server, ${waiting} wait`,
      read: "notebook 06, A server with 40 descriptors",
    });
  it("serves whom it has descriptors for", 1, () => ranOut());
  it("the server survives", 2, () => {
    ranOut();
    that(alive, {
      did: "accept() failed with EMFILE",
      expected: "your function still runs",
      measured: "it has ended",
      read: "notebook 06, A server with 40 descriptors",
    });
  });
  it("without burning the processor", 2, () => {
    ranOut();
    that(share < 0.2, {
      did: `The server's processor time was measured over ${watched} ms in which it can do nothing`,
      expected: "less than a fifth of a core",
      measured: `${Math.round(share * 100)} % of a core`,
      read: "notebook 06, The spin",
    });
  });
  it("those who wait are served when others leave", 2, () => {
    const other = read.find(({ text }) => text !== "" && text !== "ok");
    that(servedAll === clients, {
      did: "Those who had been served closed their connections",
      expected: `soon all ${clients} have been answered: ok`,
      measured: other ? `one read ${JSON.stringify(other.text.slice(0, 100))}` : `${servedAll} have`,
      read: "notebook 06, Three ways out, and one that looks like one",
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

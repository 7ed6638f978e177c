import { setTimeout as wait } from "node:timers/promises";
import { plot, type Clients } from "one-listener";
import { native } from "one-listener/native";
import {
  atRest,
  clientEnds,
  defineCheck,
  hasReceived,
  msUntil,
  otherText,
  readers,
  remains,
  remainsStory,
  theListener,
  type ClientEnd,
  type Reader,
} from "one-listener/exercise";

const port = 8080;
const clients = 100;
const nofile = 64;
/** how many of the clients are readers: two of the first, three of the last */
const some = 5;
const answer = "ok";
/** ms */
const watched = 700;

const countServed = (ends: readonly ClientEnd[]) => ends.filter((each) => hasReceived(each, answer)).length;

/** The clients that have been served leave, which frees descriptors for those that wait, until all are served or 2 s are over. */
async function leaveInTurn(crowd: Clients, read: readonly Reader[]): Promise<void> {
  for (let round = 0; round < 40 && countServed(clientEnds(crowd, read)) < clients; round++) {
    const servedBefore = countServed(clientEnds(crowd, read));
    const indices = Array.from({ length: crowd.length }, (_, at) => at);
    await crowd.hangUp(indices.filter((at) => crowd.at(at).bytesReceived === answer.length));
    await Promise.all(read.filter(({ text }) => text === answer).map((each) => each.close()));
    await msUntil(() => countServed(clientEnds(crowd, read)) > servedBefore, 50);
  }
}

export default defineCheck(({ before, it, that, lab: openLab, start, picture }) => {
  let servedFirst = 0;
  let sentAway = 0;
  let waiting = 0;
  /** of one core */
  let cpuShare = 0;
  let alive = false;
  let ends: ClientEnd[] = [];
  let left = "";

  before(`${clients} clients, ${nofile} descriptors`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port }, { nofile });
    await theListener(lab, port, server);
    const recording = await lab.record(port, { live: false, hz: 200 });
    const read = readers(lab, port, [0, 0]);
    await msUntil(() => read.every(({ end }) => end !== "outside"), 1000);
    const crowd = await lab.connect(port, { clients: clients - some });
    read.push(...readers(lab, port, [0, 0, 0]));
    const served = () => countServed(clientEnds(crowd, read));
    await atRest(() => [served()], { quiet: 150, timeout: 1500 });
    servedFirst = served();
    waiting = lab.sockets({ port, states: ["LISTEN"] })[0]?.receiveQueue ?? 0;
    const [cpu, time] = [server.cpu(), native.now()];
    // CPU time over a fixed time: there is no condition to wait for
    await wait(watched);
    cpuShare = (server.cpu() - cpu) / (native.now() - time);
    alive = server.running;
    sentAway = crowd.counts().closedByServer + read.filter(({ end }) => end === "closed").length;
    await leaveInTurn(crowd, read);
    ends = clientEnds(crowd, read);
    alive &&= server.running;
    picture(plot.queueDepth(await recording.stop()));
    await Promise.all(read.map((each) => each.close()));
    await crowd.close();
    left = await remains(lab, port, server);
  });

  /** A server that closes connections by itself, or answers no client, never runs out of descriptors, and has survived nothing. */
  const ranOut = () => {
    that(servedFirst >= 10 && waiting > 0 && sentAway === 0, {
      did: `${clients} clients connected to a process with ${nofile} descriptors, and stayed`,
      expected: "some are answered and stay connected, the others wait in the accept queue",
      measured: `${servedFirst} are answered, the server closed ${sentAway}, ${waiting} wait`,
      read: "notebook 06, A server with 40 descriptors",
    });
  };
  it("answers the clients that it has descriptors for", 1, () => {
    ranOut();
  });
  it("the server survives", 2, () => {
    ranOut();
    that(alive, {
      did: "accept() failed with EMFILE",
      expected: "your function still runs",
      measured: "it has ended",
      read: "notebook 06, A server with 40 descriptors",
    });
  });
  it("with little CPU time", 2, () => {
    ranOut();
    that(cpuShare < 0.2, {
      did: `The check measured the server's CPU time over ${watched} ms in which it cannot accept`,
      expected: "less than 20 % of one core",
      measured: `${Math.round(cpuShare * 100)} % of one core`,
      read: "notebook 06, The spin",
    });
  });
  it("waiting clients are answered when others leave", 2, () => {
    const other = otherText(ends, answer);
    that(countServed(ends) === clients, {
      did: "The clients that had been answered closed their connections",
      expected: `the server soon answers all ${clients}: ${answer}`,
      measured: other === undefined ? `${countServed(ends)} are answered` : `one of them read ${other}`,
      read: "notebook 06, Three ways out, and one that looks like one",
    });
  });
  it("ends when the signal is aborted", 1, () => {
    that(left === "", remainsStory(left));
  });
});

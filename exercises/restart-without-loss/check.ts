import { arrivals, plot } from "one-listener";
import { native } from "one-listener/native";
import {
  defineCheck,
  msUntil,
  otherText,
  RecordedClients,
  remains,
  remainsStory,
  theListener,
  wasServed,
  type ClientEnd,
} from "one-listener/exercise";

const port = 8080;
const clients = 300;
/** how many of the clients are readers */
const some = 12;
/** clients per second */
const rate = 200;
/** ms */
const restart = 500;
/** ms */
const loadMs = 300;
/** ms by which a moment that the check computes may be wrong */
const margin = 60;
/** ms from connect() to ESTABLISHED that only a retransmitted SYN takes: it is sent after 1 s */
const retransmitted = 800;

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  let ends: ClientEnd[] = [];
  /** CLOCK_MONOTONIC ms: the pause has begun, and has not ended, whenever exactly the function was called */
  const pause = { begun: 0, ending: 0 };
  let left = "";

  before(`${clients} clients, ${rate} per second, and a restart`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port, restart, loadMs });
    const called = native.now();
    await theListener(lab, port, server);
    // the function began between these two moments
    pause.begun = native.now() + restart + margin;
    pause.ending = called + restart + loadMs - margin;
    const connected = await RecordedClients.connect(
      lab,
      port,
      { clients: clients - some, schedule: arrivals.constant(clients - some, rate), quiet: 500 },
      // some readers come before the restart, some in the pause, some after it
      Array.from({ length: some }, (_, at) => integer(0, 100) + at * 115),
    );
    await msUntil(() => connected.over, 700);
    const { trace, ...outcome } = await connected.end();
    ends = outcome.ends;
    picture(plot.overview(trace));
    left = await remains(lab, port, server);
  });

  const from = (version: "old" | "newer") => ends.filter((each) => wasServed(each, version));
  const answered = () => from("old").length + from("newer").length;
  /** Of those whose bytes were only counted: readers may read late. */
  const timed = (all: ClientEnd[]) => all.filter(({ text }) => text === undefined);

  it("no client is refused or reset", 2, () => {
    const lost = ends.filter(({ end }) => end === "refused" || end === "reset").length;
    that(lost === 0 && answered() > 0, {
      did: `${clients} clients connected while the server was replaced`,
      expected: "the server answers them, and the kernel refuses or resets none",
      measured: `${lost} refused or reset, ${answered()} answered`,
      read: "notebook 09, Restarting without losing anybody",
    });
  });
  it("every client is answered", 2, () => {
    const lost = ends.filter(({ end }) => end === "refused" || end === "reset").length;
    const unanswered = clients - lost - answered();
    const late = ends.filter(({ latency }) => latency > retransmitted).length;
    const other = otherText(ends, "old", "newer");
    that(unanswered === 0 && late === 0 && answered() > 0, {
      did: `The check counted the bytes of each client, and read those of ${some}`,
      expected: "old (3 bytes) or newer (5 bytes), then the server's FIN, without a retransmitted SYN",
      measured:
        other === undefined
          ? `${unanswered} have received neither, ${late} had to retransmit their SYN`
          : `one of them read ${other}`,
    });
  });
  it("no client is accepted while the new version loads", 1, () => {
    const between = timed(ends).filter(
      ({ end, answeredAt }) => end === "closed" && answeredAt > pause.begun && answeredAt < pause.ending,
    ).length;
    that(between === 0 && from("old").length > 0, {
      did: `The check counted the connections that ended within the ${loadMs} ms of loading`,
      expected: "none: the old version has stopped, and the new one is not there yet",
      measured: from("old").length > 0 ? String(between) : "the old version answered no client before either",
    });
  });
  it("the new version answers afterwards", 1, () => {
    const lateOld = timed(from("old")).filter(({ answeredAt }) => answeredAt >= pause.ending).length;
    const earlyNewer = timed(from("newer")).filter(({ answeredAt }) => answeredAt <= pause.begun).length;
    that(from("old").length > 0 && from("newer").length > 0 && lateOld + earlyNewer === 0, {
      did: "The check counted the answers",
      expected: "those before the pause come from the old version, those after it from the new one",
      measured: `${from("old").length} old, ${from("newer").length} newer, ${lateOld + earlyNewer} of them at the wrong time`,
    });
  });
  it("ends when the signal is aborted", 1, () => {
    that(left === "", remainsStory(left));
  });
});

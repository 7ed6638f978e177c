import { arrivals, native, plot } from "one-listener";
import { defineCheck, listening, msUntil } from "one-listener/exercise";

export default defineCheck(({ before, it, that, lab: openLab, start, picture }) => {
  const port = 8080;
  const clients = 300;
  const rate = 200;
  const restart = 500;
  const loadMs = 300;
  let old = 0;
  let newer = 0;
  let lost = 0;
  let unanswered = 0;
  let between = 0;
  /** connected only after they had sent their SYN again */
  let late = 0;

  before(`${clients} clients, ${rate} a second, and a restart`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port, restart, loadMs });
    const called = native.now();
    const listeners = await listening(lab, port, server);
    that(listeners.length > 0, { did: "Your function was started", expected: "a listener within 3 s", measured: "none" });
    const listens = native.now();
    const recording = await lab.record(port, { live: false });
    const from = native.now();
    const crowd = await lab.connect(port, { clients, schedule: arrivals.constant(clients, rate), quiet: 500 });
    await msUntil(() => crowd.counts().established + crowd.counts().synSent + crowd.counts().idle === 0, 700);
    picture(plot.overview(await recording.stop()));
    for (let at = 0; at < clients; at++) {
      const { bytesReceived, state, changedAt, latency } = crowd.at(at);
      if (latency > 800) late++;
      if (state === "refused" || state === "reset") lost++;
      else if (bytesReceived === 3) old++;
      else if (bytesReceived === 5) newer++;
      else unanswered++;
      // well inside the pause, whenever exactly the function was called: it began between `called` and `listens`
      const end = from + changedAt;
      if (state === "closedByServer" && end > listens + restart + 60 && end < called + restart + loadMs - 60) between++;
    }
    await crowd.close();
    await server.stop();
  });

  it("nobody is refused or reset", 2, () => {
    that(lost === 0, { did: `${clients} clients came while the server was replaced`, expected: "none is refused or reset", measured: `${lost} were`, read: "notebook 09, Restarting without losing anybody" });
  });
  it("everybody is answered", 2, () => {
    that(unanswered === 0 && late === 0 && old + newer > 0, { did: "The bytes that each client received were counted", expected: "3 (old) or 5 (newer) for each, and nobody had to send a second SYN for it", measured: `${unanswered} have neither, ${late} had to send their SYN again` });
  });
  it("nobody is accepted while the new version loads", 1, () => {
    that(between === 0, { did: `The answers within the ${loadMs} ms of loading were counted`, expected: "none: the old version has stopped, and the new one is not there yet", measured: `${between}` });
  });
  it("the new version answers afterwards", 2, () => {
    that(old > 0 && newer > 0, { did: "The answers were counted", expected: "some from the old version, some from the new one", measured: `${old} old, ${newer} newer` });
  });
});

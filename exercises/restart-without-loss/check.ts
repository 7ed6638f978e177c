import { arrivals, plot } from "one-listener";
import { native } from "one-listener/native";
import { defineCheck, listening, msUntil, Reader, readers, remains } from "one-listener/exercise";

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const port = 8080;
  const clients = 300;
  /** of the clients, so many are read */
  const some = 12;
  const rate = 200;
  const restart = 500;
  const loadMs = 300;
  let old = 0;
  let newer = 0;
  let lost = 0;
  let unanswered = 0;
  let between = 0;
  /** old answers after the pause, newer ones before it */
  let untimely = 0;
  let read: Reader[] = [];
  let left = "";
  /** connected only after they had sent their SYN again */
  let late = 0;

  before(`${clients} clients, ${rate} a second, and a restart`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port, restart, loadMs });
    const called = native.now();
    const listeners = await listening(lab, port, server);
    that(listeners.length > 0, {
      did: "Your function was started",
      expected: "a listener within 3 s",
      measured: "none",
    });
    const listens = native.now();
    const recording = await lab.record(port, { live: false });
    const from = native.now();
    // some come before the restart, some in the pause, some after it
    read = readers(
      lab,
      port,
      Array.from({ length: some }, (_, at) => integer(0, 100) + at * 115),
    );
    const crowd = await lab.connect(port, {
      clients: clients - some,
      schedule: arrivals.constant(clients - some, rate),
      quiet: 500,
    });
    await msUntil(
      () =>
        crowd.counts().established + crowd.counts().synSent + crowd.counts().idle === 0 &&
        read.every(({ over }) => over),
      700,
    );
    picture(plot.overview(await recording.stop()));
    // well inside the pause, whenever exactly the function was called: it began between `called` and `listens`
    const [pause, resumed] = [listens + restart + 60, called + restart + loadMs - 60];
    for (let at = 0; at < crowd.length; at++) {
      const { bytesReceived, state, changedAt, latency } = crowd.at(at);
      if (latency > 800) late++;
      if (state === "refused" || state === "reset") lost++;
      else if (bytesReceived === 3 && state === "closedByServer") old++;
      else if (bytesReceived === 5 && state === "closedByServer") newer++;
      else unanswered++;
      if (state !== "closedByServer") continue;
      const end = from + changedAt;
      if (end > pause && end < resumed) between++;
      if ((end >= resumed && bytesReceived === 3) || (end <= pause && bytesReceived === 5)) untimely++;
    }
    for (const { text, end } of read) {
      if (end === "refused" || end === "reset") lost++;
      else if (text === "old" && end === "closed") old++;
      else if (text === "newer" && end === "closed") newer++;
      else unanswered++;
    }
    for (const each of read) each.close();
    await crowd.close();
    left = await remains(lab, port, server);
  });

  it("nobody is refused or reset", 2, () => {
    that(lost === 0 && old + newer > 0, {
      did: `${clients} clients came while the server was replaced`,
      expected: "none is refused or reset, and they are answered",
      measured: `${lost} were, ${old + newer} were answered`,
      read: "notebook 09, Restarting without losing anybody",
    });
  });
  it("everybody is answered", 2, () => {
    const other = read.find(({ text }) => text !== "" && text !== "old" && text !== "newer");
    that(unanswered === 0 && late === 0 && old + newer > 0, {
      did: `The bytes of each client were counted, and those of ${some} were read`,
      expected:
        "old (3 bytes) or newer (5) for each, then the server's FIN, and nobody had to send a second SYN for it",
      measured: other
        ? `one of them read ${JSON.stringify(other.text.slice(0, 100))}`
        : `${unanswered} have neither, ${late} had to send their SYN again`,
    });
  });
  it("nobody is accepted while the new version loads", 1, () => {
    that(between === 0 && old > 0, {
      did: `The answers within the ${loadMs} ms of loading were counted`,
      expected: "none: the old version has stopped, and the new one is not there yet",
      measured: old > 0 ? `${between}` : "the old version has not answered before either",
    });
  });
  it("the new version answers afterwards", 1, () => {
    that(old > 0 && newer > 0 && untimely === 0, {
      did: "The answers were counted",
      expected: "those before the pause from the old version, those after it from the new one",
      measured: `${old} old, ${newer} newer, ${untimely} of them at the wrong time`,
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

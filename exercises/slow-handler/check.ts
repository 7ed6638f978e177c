import { arrivals, plot } from "one-listener";
import { defineCheck, listening, msUntil, Reader, readers, remains } from "one-listener/exercise";

export default defineCheck(({ before, it, that, lab: openLab, start, picture, integer }) => {
  const port = 8080;
  const clients = 200;
  const backlog = 256;
  const handleMs = integer(45, 60);
  /** of 200 a second: a fifth of a second's worth, for a machine that is busy otherwise */
  const short = 40;
  /** of the clients, so many are read */
  const some = 6;
  let peak = 0;
  let bytes = 0;
  let answered = 0;
  let tooEarly = 0;
  let median = 0;
  let read: Reader[] = [];
  let left = "";

  before(`${clients} clients in a second, ${handleMs} ms of work each`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port, backlog, handleMs });
    const listeners = await listening(lab, port, server);
    that(listeners.length > 0, {
      did: "Your function was started",
      expected: "a listener within 3 s",
      measured: "none",
    });
    const recording = await lab.record(port, { live: false });
    read = readers(
      lab,
      port,
      Array.from({ length: some }, () => integer(0, 900)),
    );
    const crowd = await lab.connect(port, {
      clients: clients - some,
      schedule: arrivals.constant(clients - some, clients - some),
      quiet: 200,
    });
    await msUntil(() => crowd.counts().closedByServer === crowd.length && read.every(({ over }) => over), 500);
    const trace = await recording.stop();
    peak = trace.summary().get("acceptQueue").max;
    const stays: number[] = [];
    // who waits in the queue is connected, too: nobody can have been worked for longer than this
    const worked = (ms: number) => {
      stays.push(ms);
      // timers may fire a millisecond early
      if (ms < handleMs - 2) tooEarly++;
    };
    for (let at = 0; at < crowd.length; at++) {
      const { bytesReceived, state, changedAt, connectAt } = crowd.at(at);
      bytes += bytesReceived;
      if (bytesReceived !== 4 || state !== "closedByServer") continue;
      answered++;
      worked(changedAt - connectAt);
    }
    for (const { text, end, connectAt, answeredAt } of read) {
      if (text !== "done" || end !== "closed") continue;
      answered++;
      worked(answeredAt - connectAt);
    }
    median = stays.sort((a, b) => a - b)[stays.length >> 1] ?? NaN;
    picture(plot.queueDepth(trace, { predictions: [{ question: "a short queue", value: short } as never] }));
    for (const each of read) each.close();
    await crowd.close();
    left = await remains(lab, port, server);
  });

  it("the accept queue stays short", 2, () => {
    that(bytes > 0, {
      did: `${clients} clients came in a second`,
      expected: "some of them are answered",
      measured: "not a byte",
    });
    that(peak <= short, {
      did: `${clients} clients came in a second`,
      expected: `never more than ${short} in the accept queue`,
      measured: `${peak} at its longest`,
      read: "notebook 05, Little's law",
    });
  });
  it("everybody is answered in time", 2, () => {
    const other = read.find(({ text }) => text !== "" && text !== "done");
    that(answered === clients, {
      did: `The clients were looked at half a second after the last had come; ${some} of them were read`,
      expected: `all ${clients} have done (4 bytes), and the connection is closed`,
      measured: other ? `one of them read ${JSON.stringify(other.text.slice(0, 100))}` : `${answered} have both`,
    });
  });
  it("the work is done for each", 2, () => {
    that(answered > 0 && tooEarly === 0, {
      did: "The time from each client's connect() to the end of its connection was measured, and to the answer where it was read",
      expected: `at least the ${handleMs} ms of work`,
      measured: answered === 0 ? "nobody was answered" : `${tooEarly} took less; the median is ${median.toFixed(1)} ms`,
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

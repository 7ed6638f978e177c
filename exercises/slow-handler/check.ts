import { arrivals, plot } from "one-listener";
import { defineCheck, listening, msUntil } from "one-listener/exercise";

export default defineCheck(({ before, it, that, lab: openLab, start, picture, integer }) => {
  const port = 8080;
  const clients = 200;
  const backlog = 256;
  const handleMs = integer(45, 60);
  /** of 200 a second: a fifth of a second's worth, for a machine that is busy otherwise */
  const short = 40;
  let peak = 0;
  let answered = 0;
  let tooEarly = 0;
  let median = 0;

  before(`${clients} clients in a second, ${handleMs} ms of work each`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port, backlog, handleMs });
    const listeners = await listening(lab, port, server);
    that(listeners.length > 0, { did: "Your function was started", expected: "a listener within 3 s", measured: "none" });
    const recording = await lab.record(port, { live: false });
    const crowd = await lab.connect(port, { clients, schedule: arrivals.constant(clients, clients), quiet: 200 });
    await msUntil(() => crowd.counts().closedByServer === clients, 500);
    const trace = await recording.stop();
    peak = trace.summary().get("acceptQueue").max;
    const stays: number[] = [];
    for (let at = 0; at < clients; at++) {
      const { bytesReceived, state, changedAt, connectAt } = crowd.at(at);
      if (bytesReceived !== 4 || state !== "closedByServer") continue;
      answered++;
      stays.push(changedAt - connectAt);
      // timers may fire a millisecond early
      if (changedAt - connectAt < handleMs - 2) tooEarly++;
    }
    median = stays.sort((a, b) => a - b)[stays.length >> 1] ?? NaN;
    picture(plot.queueDepth(trace, { predictions: [{ question: "a short queue", value: short } as never] }));
    await crowd.close();
    await server.stop();
  });

  it("the accept queue stays short", 3, () => {
    that(peak <= short, { did: `${clients} clients came in a second`, expected: `never more than ${short} in the accept queue`, measured: `${peak} at its longest`, read: "notebook 05, Little's law" });
  });
  it("everybody is answered in time", 2, () => {
    that(answered === clients, { did: "The clients were looked at half a second after the last had come", expected: `all ${clients} have 4 bytes (done), and the connection is closed`, measured: `${answered} have` });
  });
  it("the work is done for each", 2, () => {
    that(answered > 0 && tooEarly === 0, { did: "The time that each client was connected was measured", expected: `at least the ${handleMs} ms of work`, measured: answered === 0 ? "nobody was answered" : `${tooEarly} were answered sooner; the median is ${median.toFixed(1)} ms` });
  });
});

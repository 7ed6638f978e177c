import { setTimeout as wait } from "node:timers/promises";
import { plot } from "one-listener";
import { defineCheck, msUntil } from "one-listener/exercise";

const port = 8080;
/** ms that the requests must stay: less than the 1 s after which the kernel retransmits its SYN-ACKs */
const staying = 700;

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const seen: { n: number; first: number; later: number; accepted: number }[] = [];

  before("two listeners, and two numbers", async () => {
    for (const n of [integer(5, 15), integer(20, 45)]) {
      const lab = await openLab();
      const listener = await lab.listen({ port, backlog: 128 });
      const recording = await lab.record(listener, { live: false });
      const run = await start(lab, { port, n }, { rights: { look: true, wire: true } });
      await run.answer;
      await msUntil(() => listener.synQueue === n, 200);
      const first = listener.synQueue;
      // nothing is to happen in this time, so there is no condition to wait for
      await wait(staying);
      seen.push({ n, first, later: listener.synQueue, accepted: listener.acceptQueue });
      picture(plot.queueDepth(await recording.stop(), { predictions: [{ question: "n", value: n }] }));
      await run.stop();
    }
  });

  it("n half-open requests", 3, () => {
    for (const { n, first } of seen)
      that(first === n, {
        did: `The check called your function with n = ${n}`,
        expected: `${n} half-open requests in the SYN queue when it returns`,
        measured: String(first),
        read: "notebook 03, Where is the first queue?",
      });
  });
  it("they stay half-open", 1, () => {
    for (const { n, later } of seen)
      that(later === n, {
        did: `The check waited for ${staying} ms`,
        expected: `all ${n} half-open requests are still there`,
        measured: String(later),
        read: "notebook 02, An ACK that never comes",
      });
  });
  it("nothing in the accept queue", 1, () => {
    for (const { first, accepted } of seen)
      that(accepted === 0 && first > 0, {
        did: "The check read the length of both queues",
        expected: "an empty accept queue: handshakes have begun, and none is complete",
        measured: `${accepted} connections in the accept queue, ${first} half-open requests in the SYN queue`,
      });
  });
});

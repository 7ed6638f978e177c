import { setTimeout as wait } from "node:timers/promises";
import { plot } from "one-listener";
import { defineCheck, msUntil } from "one-listener/exercise";

const lookFor = 700;

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const port = 8080;
  const seen: { n: number; at: number; later: number; accept: number }[] = [];

  before("two listeners, and two numbers", async () => {
    for (const n of [integer(5, 15), integer(20, 45)]) {
      const lab = await openLab();
      const listener = await lab.listen({ port, backlog: 128 });
      const recording = await lab.record(listener, { live: false });
      const run = await start(lab, { port, n }, { rights: { look: true, wire: true } });
      await run.answer;
      await msUntil(() => listener.synQueue === n, 200);
      const at = listener.synQueue;
      await wait(lookFor);
      seen.push({ n, at, later: listener.synQueue, accept: listener.acceptQueue });
      picture(plot.queueDepth(await recording.stop(), { predictions: [{ question: "n", value: n } as never] }));
      await run.stop();
    }
  });

  it("n handshakes hang", 3, () => {
    for (const { n, at } of seen)
      that(at === n, {
        did: `Your function was asked for ${n}`,
        expected: `${n} requests in the SYN queue when it returns`,
        measured: String(at),
        read: "notebook 03, Where is the first queue?",
      });
  });
  it("and go on hanging", 1, () => {
    for (const { n, later } of seen)
      that(later === n, {
        did: `${lookFor} ms went by`,
        expected: `${n} requests still there`,
        measured: String(later),
        read: "notebook 02, An ACK that never comes",
      });
  });
  it("nothing in the accept queue", 1, () => {
    for (const { at, accept } of seen)
      that(accept === 0 && at > 0, {
        did: "The accept queue was looked at",
        expected: "nobody there: handshakes have begun, and none is complete",
        measured: `${accept} connections there, ${at} requests in the SYN queue`,
      });
  });
});

import { setTimeout as wait } from "node:timers/promises";
import { plot } from "one-listener";
import { native } from "one-listener/native";
import { defineCheck, msUntil } from "one-listener/exercise";

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const port = 8080;
  // so that the threshold is a whole number of connections
  const share = integer(2, 3) / 4;
  const maximum = 4 * integer(12, 30);
  const threshold = share * maximum;
  const delays: number[] = [];
  let rang = 0;
  let falseAlarms = 0;
  let alarms = 0;
  let runsOn = true;
  const times = 3;
  /** ms for which the queue stays where it is: nobody can know when the next crossing comes */
  const stay = () => integer(150, 700);

  before(`a queue that crosses the threshold ${times} times`, async () => {
    const lab = await openLab({ wire: false });
    const listener = await lab.listen({ port, backlog: maximum });
    const recording = await lab.record(listener, { live: false });
    const watcher = await start(lab, { port, share }, { events: ["alarm"] });
    const alarmsIn = (from: number, to: number) =>
      watcher.events.filter(({ name, time }) => name === "alarm" && time >= from && time < to);
    const begin = native.now();
    await wait(150);
    for (let round = 0; round < times; round++) {
      // just not above the threshold
      await lab.connect(listener, { clients: threshold, quiet: 10 });
      await wait(stay());
      const before = native.now();
      await lab.connect(listener, { clients: 1, quiet: 0 });
      await msUntil(() => alarmsIn(before, Infinity).length > 0, 250);
      const first = alarmsIn(before, Infinity)[0];
      if (first) {
        rang++;
        delays.push(first.time - before);
      }
      await wait(150);
      listener.acceptAll().forEach((connection) => connection.close());
      await wait(60);
    }
    alarms = watcher.events.length;
    falseAlarms = alarmsIn(begin, Infinity).length - alarmsAbove();
    picture(
      plot.queueDepth(await recording.stop(), {
        predictions: [{ question: "the threshold", value: threshold } as never],
      }),
    );
    await watcher.stop();
    runsOn = watcher.running;

    /** Alarms at a moment when the queue was above the threshold, some 60 ms for the way included. */
    function alarmsAbove(): number {
      const { time, values } = recording.trace.column("acceptQueue");
      const start = native.now() - recording.elapsed;
      return watcher.events.filter((event) => {
        const at = event.time - start;
        return time.some(
          (from, row) => values[row] > threshold && at >= from - 2 && at <= (time[row + 1] ?? Infinity) + 60,
        );
      }).length;
    }
  });

  it("it rings", 1, () => {
    that(alarms > 0, {
      did: `The queue went above ${threshold} of ${maximum}, ${times} times`,
      expected: "an alarm",
      measured: "none",
      read: "notebook 09, Watching",
    });
  });
  it("never without reason", 2, () => {
    that(alarms > 0 && falseAlarms === 0, {
      did: `The queue stood at ${threshold} of ${maximum}, which is not above the threshold, or below`,
      expected: "no alarm then",
      measured: alarms === 0 ? "no alarm at all" : `${falseAlarms}`,
    });
  });
  it("within 100 ms", 2, () => {
    const median = delays.slice().sort((a, b) => a - b)[delays.length >> 1];
    that(rang === times && median <= 100, {
      did: `The queue went above ${threshold} of ${maximum}, ${times} times`,
      expected: `${times} alarms, within 100 ms (the median counts)`,
      measured: `${rang} alarms, after ${delays.map((ms) => `${Math.round(ms)} ms`).join(", ") || "–"}`,
    });
  });
  it("once each time", 1, () => {
    that(alarms > 0 && alarms <= times, {
      did: `The threshold was crossed ${times} times`,
      expected: `${times} alarms`,
      measured: `${alarms}`,
    });
  });
  it("ends when it is told to", 1, () => {
    that(alarms > 0 && !runsOn, {
      did: "The signal was aborted",
      expected: "your function, which has rung before, returns",
      measured: runsOn ? "it still runs" : `${alarms} alarms; it has returned`,
    });
  });
});

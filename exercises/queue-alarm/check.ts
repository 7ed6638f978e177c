import { setTimeout as wait } from "node:timers/promises";
import { plot, type Trace } from "one-listener";
import { native } from "one-listener/native";
import { defineCheck, msUntil, type TaskEvent } from "one-listener/exercise";

const port = 8080;
/** times that the queue crosses the threshold */
const times = 3;
/** ms that an alarm may take to arrive after the queue has gone down again */
const underWay = 60;

/** The alarms that came while the accept queue was above the threshold. @param start CLOCK_MONOTONIC ms of the recording's start */
function justified(alarms: readonly TaskEvent[], trace: Trace, start: number, threshold: number): number {
  const { time, values } = trace.column("acceptQueue");
  // each sample holds until the next one
  const above = Array.from(time, (from, row) => ({
    from,
    to: time[row + 1] ?? Infinity,
    length: values[row] ?? 0,
  })).filter(({ length }) => length > threshold);
  return alarms.filter((alarm) => {
    const at = alarm.time - start;
    return above.some(({ from, to }) => at >= from - 2 && at <= to + underWay);
  }).length;
}

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  // so that the threshold is a whole number of connections
  const share = integer(2, 3) / 4;
  const limit = 4 * integer(12, 30);
  const threshold = share * limit;
  /** ms for which the queue stays as it is: no function can know when it crosses the threshold next */
  const stay = () => integer(150, 700);
  /** ms from each crossing to its alarm */
  const delays: number[] = [];
  let falseAlarms = 0;
  let alarms = 0;
  let runsOn = true;

  before(`a queue that crosses the threshold ${times} times`, async () => {
    const lab = await openLab({ wire: false });
    const listener = await lab.listen({ port, backlog: limit });
    const recording = await lab.record(listener, { live: false });
    const began = native.now() - recording.elapsed;
    const watcher = await start(lab, { port, share }, { events: ["alarm"] });
    // the check waits for fixed times here: nothing may happen meanwhile, so there is no condition to wait for
    await wait(150);
    for (let round = 0; round < times; round++) {
      // as many as the threshold, which is not above it
      await lab.connect(listener, { clients: threshold, quiet: 10 });
      await wait(stay());
      const crossed = native.now();
      await lab.connect(listener, { clients: 1, quiet: 0 });
      const alarm = () => watcher.events.find(({ time }) => time >= crossed);
      await msUntil(() => alarm() !== undefined, 250);
      const first = alarm();
      if (first) delays.push(first.time - crossed);
      await wait(150);
      await Promise.all(listener.acceptAll().map((connection) => connection.close()));
      await wait(60);
    }
    alarms = watcher.events.length;
    falseAlarms = alarms - justified(watcher.events, recording.trace, began, threshold);
    const predictions = [{ question: "the threshold", value: threshold }];
    picture(plot.queueDepth(await recording.stop(), { predictions }));
    await watcher.stop();
    runsOn = watcher.running;
  });

  const crossing = `The accept queue rose above ${threshold} of ${limit}, ${times} times`;
  it("raises an alarm", 1, () => {
    that(alarms > 0, {
      did: crossing,
      expected: "an alarm",
      measured: "none",
      read: "notebook 09, Watching",
    });
  });
  it("no alarm without a reason", 2, () => {
    that(alarms > 0 && falseAlarms === 0, {
      did: `The accept queue held ${threshold} of ${limit}, which is not above the threshold, or fewer`,
      expected: "no alarm in this time",
      measured: alarms === 0 ? "no alarm at all" : String(falseAlarms),
    });
  });
  it("within 100 ms", 2, () => {
    const median = [...delays].sort((one, other) => one - other)[delays.length >> 1] ?? Infinity;
    that(delays.length === times && median <= 100, {
      did: crossing,
      expected: `${times} alarms, within 100 ms (the median counts)`,
      measured: `${delays.length} alarms, after ${delays.map((ms) => `${Math.round(ms)} ms`).join(", ") || "–"}`,
    });
  });
  it("once each time", 1, () => {
    that(alarms > 0 && alarms <= times, {
      did: `The accept queue crossed the threshold ${times} times`,
      expected: `${times} alarms`,
      measured: String(alarms),
    });
  });
  it("ends when the signal is aborted", 1, () => {
    that(alarms > 0 && !runsOn, {
      did: "The check aborted the signal",
      expected: "your function, which has raised an alarm before, returns",
      measured: runsOn ? "your function still runs" : `${alarms} alarms; your function has returned`,
    });
  });
});

import assert from "node:assert/strict";
import { labOfSuite } from "../fixtures/lab-of-suite";
import type { Lab } from "../../dist/front-door";
import { constant, poisson, spike } from "../../dist/listener/arrivals";

describe("queueing, at a loop of a steady rate", function () {
  this.timeout(60_000);
  let lab: Lab;
  labOfSuite((opened) => (lab = opened), { wire: false });

  /** Clients of a schedule, and a loop that accepts so many a second and closes; watched until all are served or so many ms after the last came. */
  async function run({
    backlog,
    rate,
    schedule,
    patience,
  }: {
    backlog: number;
    rate: number;
    schedule: Float64Array;
    patience: number;
  }) {
    const listener = await lab.listen({ backlog });
    const loop = listener.acceptLoop({ rate, close: true });
    const recording = await lab.record(listener, { live: false, counters: [] });
    const before = lab.counters();
    const clients = await lab.connect(listener, { clients: schedule.length, schedule, quiet: 20 });
    await clients.until(({ closedByServer }) => closedByServer === schedule.length, { timeout: patience });
    const trace = await recording.stop();
    const dropped = lab.counters().since(before).get("ListenDrops");
    const waits = clients.served();
    for (const thing of [loop, clients, listener]) await thing.close();
    return { waits, dropped, queue: trace.summary().get("acceptQueue"), seconds: trace.end / 1000 };
  }

  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

  // a fixed sequence: the test is about the law, not about luck (mulberry32)
  function numbers(seed: number): () => number {
    return () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  it("Little's law: the mean queue is the rate of arrivals times the mean wait", async () => {
    const lengths: number[] = [];
    for (const schedule of [poisson(300, 190, numbers(1)), constant(200, 400)]) {
      const { waits, queue, seconds } = await run({ backlog: 1000, rate: 200, schedule, patience: 5000 });
      assert.ok(
        waits.every((ms) => ms >= 0),
        "everybody is served: the law is about those who stay",
      );
      const product = (waits.length / seconds) * (mean(waits) / 1000);
      assert.ok(Math.abs(queue.mean / product - 1) < 0.25, `L = ${queue.mean}, λ × W = ${product}`);
      lengths.push(queue.mean);
    }
    assert.ok(lengths[1] > 10, "the second load makes a long queue");
  });

  it("an overload that lasts: a longer backlog serves no more, and those served have waited longer", async () => {
    const schedule = constant(1000, 1000);
    const lastCame = schedule.at(-1)!;
    const [short, long] = [
      await run({ backlog: 16, rate: 400, schedule, patience: 0 }),
      await run({ backlog: 256, rate: 400, schedule, patience: 0 }),
    ];
    const during = ({ waits }: typeof short) => waits.filter((ms, at) => schedule[at] + ms <= lastCame);
    const longest = (outcome: typeof short) => Math.max(...during(outcome));
    assert.ok(
      short.dropped > 0 && long.dropped > 0,
      `both queues have overflowed: ${short.dropped} and ${long.dropped} dropped, at most ${short.queue.max} and ${long.queue.max} waited`,
    );
    assert.ok(
      during(long).length < 1.2 * during(short).length,
      `${during(long).length} served with 256 places, ${during(short).length} with 16`,
    );
    assert.ok(
      longest(long) > 3 * longest(short),
      `${longest(long)} ms at most with 256 places, ${longest(short)} ms with 16`,
    );
  });

  it("a burst: a backlog that holds it loses nobody, a short one drops", async () => {
    const schedule = spike(200);
    const [short, long] = [
      await run({ backlog: 16, rate: 400, schedule, patience: 1000 }),
      await run({ backlog: 256, rate: 400, schedule, patience: 3000 }),
    ];
    assert.deepEqual([long.dropped, long.waits.filter((ms) => ms >= 0).length], [0, 200]);
    assert.ok(short.dropped >= 200 - 17 - 400 * short.seconds && short.dropped > 0);
    assert.ok(short.waits.filter((ms) => ms >= 0).length < 200);
  });
});

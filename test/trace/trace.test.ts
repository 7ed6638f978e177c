import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { folderOfSuite } from "../fixtures/temporary-folder";
import { ClosedError, Lab, type Recording, RecordingFile, Trace, TraceBuilder } from "../../dist/index";
import { native, type SamplerRows } from "../../dist/native";
import { thinTrack } from "../../dist/trace/track";
import { sleep, until } from "../fixtures/waiting";

const meta = {
  startedAt: "2026-01-01T00:00:00.000Z",
  hz: 1000,
  kernel: "test",
  listener: { port: 80, backlog: 5 },
  settings: { "net.core.somaxconn": 4096 },
};

function rows(time: number[], acceptQueue: number[]): SamplerRows {
  const zero = () => Uint32Array.from(time, () => 0);
  return {
    queues: {
      time: Float64Array.from(time),
      acceptQueue: Uint32Array.from(acceptQueue),
      acceptMax: Uint32Array.from(time, () => 5),
      synQueue: zero(),
      accepted: zero(),
    },
    listeners: {
      time: new Float64Array(0),
      listeners: new Uint32Array(0),
      fullest: new Uint32Array(0),
      fullestMax: new Uint32Array(0),
    },
    counters: { time: new Float64Array(0), columns: [] },
    clients: { time: new Float64Array(0), columns: [] },
    samples: time.length,
    missed: 0,
    cpu: 0,
    error: 0,
    errorSyscall: "",
  };
}

function trace(time: number[], acceptQueue: number[]): Trace {
  const builder = new TraceBuilder();
  builder.append(rows(time, acceptQueue));
  builder.event({ time: time[0], name: "burst", detail: 'a, "quoted" one' });
  return builder.finish(meta);
}

/** Ascending times with a value for each. */
const recordings = fc
  .array(fc.record({ step: fc.integer({ min: 1, max: 50 }), value: fc.integer({ min: 0, max: 1000 }) }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((steps) => {
    let now = 0;
    return { time: steps.map(({ step }) => (now += step)), values: steps.map(({ value }) => value) };
  });

/** Waits until everything that is true now is in the recording: for samples of the queues and the counters, measured and taken from now on. */
async function sampled(recording: Recording): Promise<void> {
  const { samples, hz } = recording.trace.meta;
  const more = Math.ceil(hz / 5); // 200 ms: 20 readings of the counters
  await until(() => recording.trace.meta.samples + recording.trace.meta.missed >= samples + more, "more samples");
}

describe("a Trace", () => {
  const folder = folderOfSuite("trace").place;

  it("holds a value until the next row", () => {
    const made = trace([1, 5, 9], [3, 7, 2]);
    assert.equal(made.at(1).acceptQueue, 3);
    assert.equal(made.at(4.99).acceptQueue, 3);
    assert.equal(made.at(5).acceptQueue, 7);
    assert.equal(made.at(100).acceptQueue, 2);
  });

  it("summarises: extremes, and a mean weighted by time", () => {
    const summary = trace([0, 1, 9, 10], [0, 10, 0, 0]).summary().get("acceptQueue");
    assert.deepEqual([summary.first, summary.last, summary.min, summary.max, summary.timeOfMax], [0, 0, 0, 10, 1]);
    assert.equal(summary.mean, 8);
    assert.throws(() => trace([0], [0]).summary().get("nothing"), /no column "nothing"/);
  });

  it("comes back from a file as it was", async () => {
    let at = 0;
    await fc.assert(
      fc.asyncProperty(recordings, async ({ time, values }) => {
        const file = path.join(folder, `${at++}.trace`);
        const made = trace(time, values);
        await made.save(file);
        const loaded = await Trace.load(file);
        assert.deepEqual([...loaded.column("acceptQueue").values], values);
        assert.deepEqual([...loaded.column("acceptQueue").time], time);
        assert.deepEqual(loaded.meta, made.meta);
        assert.deepEqual(loaded.events, made.events);
      }),
      { numRuns: 30 },
    );
  });

  it("names a file that is truncated, changed, foreign or not there", async () => {
    const file = path.join(folder, "good.trace");
    await trace([0, 1, 2], [1, 2, 3]).save(file);
    const good = readFileSync(file);
    const broken: Record<string, Buffer> = {
      truncated: good.subarray(0, good.length >> 1),
      empty: Buffer.alloc(0),
      foreign: Buffer.from("PK\u0003\u0004 not a trace"),
      changed: Buffer.from(good).fill(0x55, 20, 40),
    };
    for (const [name, bytes] of Object.entries(broken)) {
      const bad = path.join(folder, `${name}.trace`);
      writeFileSync(bad, bytes);
      await assert.rejects(Trace.load(bad), (error: Error) => error.message.includes(`${name}.trace`), name);
    }
    await assert.rejects(Trace.load(path.join(folder, "missing.trace")), /missing\.trace/);
  });

  it("grows in its file piece by piece; cut anywhere, the whole pieces before are there", async () => {
    const file = path.join(folder, "growing.trace");
    const recording = new RecordingFile(file);
    assert.throws(() => new RecordingFile(file), /exists already/);
    const builder = new TraceBuilder();
    const sizes: number[] = [];
    const values: number[] = [];
    for (let piece = 0; piece < 4; piece++) {
      const size = sizes.at(-1) ?? 0;
      // values of one byte, of two and of four
      const more = [1, 2, 3].map((at) => at * 100 ** piece);
      builder.append(
        rows(
          more.map((_, at) => piece * 10 + at),
          more,
        ),
      );
      builder.event({ time: piece * 10 + 2, name: `event ${piece}` });
      values.push(...more);
      recording.grow(builder.snapshot(meta));
      await until(() => readFileSync(file).length > size, "the piece is in the file");
      await sleep(20); // grow() sees the end of its write a little later than this, and nothing shows it
      sizes.push(readFileSync(file).length);
    }
    const bytes = readFileSync(file);
    for (let length = 1; length <= bytes.length; length++) {
      const cut = path.join(folder, "cut.trace");
      writeFileSync(cut, bytes.subarray(0, length));
      const whole = sizes.filter((size) => size <= length).length;
      // gzip's last eight bytes are its checksum: without them all of a piece may have come out
      const nearly = sizes.filter((size) => size - 12 <= length).length;
      if (nearly === 0) {
        await assert.rejects(Trace.load(cut), /cut\.trace/);
        continue;
      }
      if (whole === 0) continue;
      const loaded = await Trace.load(cut);
      const got = loaded.events.length;
      assert.ok(got >= whole && got <= nearly, `${got} of ${whole} pieces in ${length} bytes`);
      assert.deepEqual([...loaded.column("acceptQueue").values], values.slice(0, got * 3));
      assert.equal(loaded.meta.unfinished, true);
      assert.equal(loaded.end, got * 10 - 8);
    }
    const made = builder.finish(meta);
    await recording.finish(made);
    const loaded = await Trace.load(file);
    assert.deepEqual([...loaded.column("acceptQueue").values], values);
    assert.deepEqual([loaded.meta, loaded.events], [made.meta, made.events]);
  });

  it("that would outgrow its bound is thinned: every peak stays at its moment, and what came last", async () => {
    const file = path.join(folder, "thinned.trace");
    const recording = new RecordingFile(file);
    const mostRows = 1000;
    const builder = new TraceBuilder([], { mostRows });
    const peaks = [70, 4_300, 12_345, 19_990];
    for (let at = 0; at < 20_000; at += 100) {
      const time = Array.from({ length: 100 }, (_, more) => at + more);
      builder.append(
        rows(
          time,
          time.map((moment) => (peaks.includes(moment) ? 5000 + moment : moment % 37)),
        ),
      );
      recording.grow(builder.snapshot(meta));
      assert.ok(builder.snapshot(meta).tracks.queues.time.length <= mostRows);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const made = builder.finish(meta);
    assert.ok(made.meta.resolution! > 1);
    await recording.finish(made);
    const loaded = await Trace.load(file);
    for (const peak of peaks) assert.equal(loaded.at(peak).acceptQueue, 5000 + peak);
    for (const peak of peaks.slice(0, 3))
      assert.ok(loaded.at(peak + 2 * made.meta.resolution!).acceptQueue < 37, "a peak does not last");
    assert.equal(loaded.column("acceptQueue").values.at(-1), 19_999 % 37);
    assert.match(loaded.describe(), /peaks of each .* kept/);
  });

  it("thinned twice is what it is thinned once, and invents no row", () => {
    fc.assert(
      fc.property(recordings, fc.integer({ min: 1, max: 60 }), ({ time, values }, width) => {
        const { queues } = trace(time, values).tracks;
        const twice = thinTrack(thinTrack(queues, width, ["acceptQueue"]), 2 * width, ["acceptQueue"]);
        const once = thinTrack(queues, 2 * width, ["acceptQueue"]);
        assert.deepEqual(twice, once);
        assert.ok(once.time.length <= 2 * (Math.floor(time[time.length - 1] / (2 * width)) + 1));
        assert.equal(Math.max(...once.columns.acceptQueue), Math.max(...values));
        assert.equal(once.columns.acceptQueue.at(-1), values.at(-1));
        once.time.forEach((moment, row) => assert.equal(once.columns.acceptQueue[row], values[time.indexOf(moment)]));
      }),
    );
  });

  it("resamples without inventing values, and slices with the value that held", () => {
    fc.assert(
      fc.property(recordings, fc.integer({ min: 2, max: 40 }), ({ time, values }, points) => {
        const made = trace(time, values);
        const again = made.resample(points);
        const series = again.column("acceptQueue");
        series.time.forEach((moment, at) => assert.equal(series.values[at], made.at(moment).acceptQueue));
        const middle = time[time.length >> 1];
        assert.equal(made.slice(middle, made.end).at(middle).acceptQueue, made.at(middle).acceptQueue);
      }),
    );
  });

  it("becomes CSV and JSON lines that other tools read", () => {
    const made = trace([0, 2.5], [1, 2]);
    const [header, ...lines] = made.toCSV().trim().split("\n");
    assert.match(header, /^time.*acceptQueue/);
    assert.ok(
      lines.some((line) => line.includes('"')),
      "the event's quotes are quoted",
    );
    const objects = made
      .toJSONLines()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.ok(objects.length >= 4);
  });

  it("of a real listener agrees with the queue, and stores unchanged samples once", async () => {
    const lab = await Lab.open({ wire: false });
    const listener = await lab.listen({ backlog: 20 });
    const recording = await lab.record(listener, { hz: 5000, live: false });
    const clients = await lab.connect(listener, { clients: 50 });
    const queued = listener.acceptQueue;
    await sampled(recording);
    const made = await recording.stop();
    assert.equal(made.summary().get("acceptQueue").max, queued);
    assert.equal(made.summary().get("acceptMax").max, listener.acceptMax);
    assert.equal(made.summary().get("synSent").last, clients.counts().synSent);
    assert.equal(made.summary().get("TcpExt.ListenDrops").last, clients.counts().synSent);
    assert.ok(
      made.tracks.queues.time.length < made.meta.samples / 10,
      `${made.tracks.queues.time.length} rows of ${made.meta.samples} samples`,
    );
    assert.ok(made.events.some(({ name }) => name === "burst"));
    await lab.close();
  });

  it("of a port that several listeners share counts all places, and tells how full the fullest was", async () => {
    const lab = await Lab.open({ wire: false });
    const listeners = [await lab.listen({ port: 8080, backlog: 3, reusePort: true })];
    const alone = await lab.record(8080, { live: false });
    await sampled(alone);
    listeners.push(await lab.listen({ port: 8080, backlog: 9, reusePort: true }));
    const recording = await lab.record(8080, { live: false });
    await lab.connect(listeners[0], { clients: 12 });
    await sampled(recording);
    await sampled(alone);
    const made = await recording.stop();
    const fullness = listeners
      .map(({ acceptQueue, capacity }) => ({ acceptQueue, capacity, share: acceptQueue / capacity }))
      .sort((a, b) => b.share - a.share);
    const { acceptQueue, acceptMax, listeners: many, fullest, fullestMax } = made.at(made.end);
    assert.deepEqual([acceptQueue, acceptMax + 1, many], [fullness[0].acceptQueue + fullness[1].acceptQueue, 14, 2]);
    assert.deepEqual([fullest, fullestMax + 1], [fullness[0].acceptQueue, fullness[0].capacity]);
    assert.equal(made.meta.listener.listeners, 2);
    const grown = await alone.stop();
    assert.equal(grown.meta.listener.listeners, undefined, "there was one when it began");
    assert.deepEqual([grown.summary().get("acceptMax").first, grown.summary().get("acceptMax").last], [3, 13]);
    await lab.close();
  });

  it("of a listener that closes ends with it", async () => {
    const lab = await Lab.open({ wire: false });
    const listener = await lab.listen();
    const recording = await lab.record(listener, { live: false });
    await sampled(recording);
    await listener.close();
    assert.equal(recording.running, false);
    assert.ok((await recording.stop()).meta.samples > 0);
    await assert.rejects(lab.record(listener), /closed/);
    await lab.close();
  });

  it("is refused where the Lab or the listener closes while the recording starts", async () => {
    const before = native.descriptors().open;
    for (const closing of ["listener", "lab"] as const) {
      const lab = await Lab.open({ wire: false });
      const listener = await lab.listen();
      const starting = lab.record(listener, { live: false });
      const closed = closing === "lab" ? lab.close() : listener.close();
      await assert.rejects(starting, ClosedError);
      await closed;
      await lab.close();
      assert.equal(native.descriptors().open, before, "what was opened for the recording is closed");
    }
  });

  it("is refused at whichever step of its start the Lab closes, or is whole", async () => {
    for (let step = 0; step < 12; step++) {
      const lab = await Lab.open({ wire: false });
      const listener = await lab.listen();
      const starting = lab.record(listener, { live: false });
      for (let turn = 0; turn < step; turn++) await new Promise((resolve) => setImmediate(resolve));
      const closed = lab.close();
      const [outcome] = await Promise.allSettled([starting]);
      await closed;
      if (outcome.status === "rejected") assert.ok(outcome.reason instanceof ClosedError, String(outcome.reason));
      else assert.equal((await outcome.value.stop()).meta.listener.port, listener.port);
    }
  });

  it("of a minute at 10 kHz, every column changing, takes under 50 MB", () => {
    const builder = new TraceBuilder();
    const batch = 500;
    for (let at = 0; at < 600_000; at += batch) {
      const time = Array.from({ length: batch }, (_, more) => (at + more) / 10);
      const taken = rows(
        time,
        time.map((_, more) => (at + more) % 130),
      );
      const changing = () => Uint32Array.from(time, (_, more) => (at + more) % 200);
      builder.append({
        ...taken,
        queues: { ...taken.queues, synQueue: changing(), accepted: changing() },
        clients: { time: Float64Array.from(time), columns: Array.from({ length: 9 }, changing) },
      });
    }
    const made = builder.finish(meta);
    const bytes = Object.values(made.tracks).reduce(
      (sum, track) =>
        sum + track.time.byteLength + Object.values(track.columns).reduce((all, column) => all + column.byteLength, 0),
      0,
    );
    assert.equal(made.tracks.queues.time.length, 600_000);
    assert.ok(bytes < 50 * 2 ** 20, `${(bytes / 2 ** 20).toFixed(1)} MB`);
  });
});

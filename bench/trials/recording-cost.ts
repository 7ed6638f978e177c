import { Lab } from "../../dist/index";
import { atMost, row, type Trial, medianAt } from "../trial";

const seconds = 10;
const rounds = 3;

/** Records a listener at 10 kHz while clients come and go; share of a core and bytes a stored row. */
async function once(counters: boolean): Promise<{ share: number; megabytesAMinute: number; missed: number }> {
  const lab = await Lab.open({ wire: false });
  try {
    const listener = await lab.listen({ backlog: 4096 });
    global.gc?.();
    const recording = await lab.record(listener, { hz: 10_000, live: false, ...(counters ? {} : { counters: [] }) });
    listener.acceptLoop({ rate: 2500, close: true });
    const clients = await lab
      .connect(listener, { clients: 2500 * (seconds - 1), rate: 2500, quiet: 200 })
      .catch(() => lab.connect(listener, { clients: 12_000, rate: 12_000 / (seconds - 1), quiet: 200 }));
    const trace = await recording.stop();
    await clients.close();
    const bytes = Object.values(trace.tracks).reduce(
      (sum, { time, columns }) =>
        sum + time.byteLength + Object.values(columns).reduce((all, column) => all + column.byteLength, 0),
      0,
    );
    // what a minute would take if every sample were stored
    const perRow =
      bytes /
      Math.max(
        1,
        Object.values(trace.tracks).reduce((sum, { time }) => sum + time.length, 0),
      );
    const rowsAMinute = 60 * 10_000 * 2 + 60 * 100;
    return {
      share: trace.meta.cpu / (trace.end - trace.start),
      megabytesAMinute: (perRow * rowsAMinute) / 2 ** 20,
      missed: trace.meta.missed / trace.meta.samples,
    };
  } finally {
    await lab.close();
  }
}

/** What a recording at 10 kHz costs: % of a core, and memory per minute. */
export const recordingCost: Trial = {
  name: "recording-cost",
  question: "what does a recording at 10 kHz cost?",
  async run(progress) {
    const shares = { with: [] as number[], without: [] as number[] };
    const memory: number[] = [];
    const missed: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      progress(`${round} of ${rounds}, ${2 * seconds} s`);
      const withCounters = await once(true);
      const without = await once(false);
      shares.with.push(withCounters.share * 100);
      shares.without.push(without.share * 100);
      memory.push(withCounters.megabytesAMinute);
      missed.push(withCounters.missed * 100);
    }
    const rows = [
      row("queues and clients, no counters", "% of a core", shares.without),
      row("with 12 counters at 100 Hz", "% of a core", shares.with),
      row("samples missed", "%", missed),
      row("a minute, every sample stored", "MB", memory),
    ];
    return { rows, ratios: [atMost("a minute, MB", medianAt(rows, 3), 50)], notes: [] };
  },
};

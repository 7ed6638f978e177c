import { existsSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";
import { plot, Trace } from "../../dist/index";
import { native } from "../../dist/native";
import { atMost, row, skippedRow, type Trial, medianAt } from "../trial";

const samples = 1_000_000;
const rounds = 7;

/** A minute and a half at 10 kHz in which every sample differs from the last. */
function longTrace(): Trace {
  const column = (of: (at: number) => number) => Uint32Array.from({ length: samples }, (_, at) => of(at));
  const time = Float64Array.from({ length: samples }, (_, at) => at / 10);
  const columns = {
    acceptQueue: column((at) => (at * 7919) % 130),
    acceptMax: column(() => 128),
    synQueue: column((at) => at % 50),
    accepted: column((at) => at),
  };
  const meta = {
    startedAt: new Date().toISOString(),
    hz: 10_000,
    kernel: "",
    listener: { port: 80, backlog: 128 },
    settings: {},
    samples,
    missed: 0,
    cpu: 0,
  };
  return new Trace({ meta, tracks: { queues: { time, columns } } });
}

/** ms until Chromium shows a Trace of a million samples. */
export const plotMillion: Trial = {
  name: "plot-million",
  question: "how long until the browser shows a Trace of a million samples?",
  async run() {
    const executablePath = (process.env.PATH ?? "")
      .split(path.delimiter)
      .flatMap((directory) =>
        ["chromium", "chromium-browser", "google-chrome"].map((name) => path.join(directory, name)),
      )
      .find(existsSync);
    if (!executablePath)
      return { rows: [skippedRow("figure and drawing", "ms", "no Chromium in the PATH")], ratios: [], notes: [] };
    const browser = await chromium.launch({
      executablePath,
      args: [
        ...(process.geteuid?.() === 0 ? ["--no-sandbox"] : []),
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
    try {
      const page = await browser.newPage();
      await page.setContent('<div id="plot"></div>');
      await page.addScriptTag({ path: require.resolve("plotly.js-cartesian-dist-min") });
      const figure: number[] = [];
      const drawing: number[] = [];
      const whole: number[] = [];
      for (let round = 0; round < rounds; round++) {
        // a new Trace each round: nothing of the last one is remembered
        const trace = longTrace();
        const start = native.now();
        const { data, layout } = plot.queueDepth(trace);
        const made = native.now();
        drawing.push(
          await page.evaluate(
            async ([given, look]) => {
              const begin = performance.now();
              await (
                window as unknown as { Plotly: { newPlot(id: string, data: unknown, layout: unknown): Promise<void> } }
              ).Plotly.newPlot("plot", given, look);
              return performance.now() - begin;
            },
            [data, layout] as const,
          ),
        );
        figure.push(made - start);
        whole.push(native.now() - start);
      }
      const rows = [
        row("the figure, a pure function of the Trace", "ms", figure),
        row("drawing it", "ms", drawing),
        row("both, and the way to the browser", "ms", whole),
      ];
      return { rows, ratios: [atMost("a million samples, ms", medianAt(rows, 2), 1000)], notes: [] };
    } finally {
      await browser.close();
    }
  },
};

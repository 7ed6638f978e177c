/** `watch` with an argument: the listeners that it names, in detail. */
import { LiveOutput } from "../terminal/live-output";
import { sizeOf } from "../terminal/repaint";
import { causeOf } from "../watch/alert";
import { keepWatching } from "../watch/pace";
import type { Report, WatchEvent } from "../watch/report";
import { line, panel } from "../watch/screen";
import type { Target } from "../watch/target";
import { Watching } from "../watch/watching";
import { formatCount, formatPercent } from "../wording/number";
import { alerted, type End, listenerGone, type Options } from "./watch-options";

/** peaks that the sparkline may draw */
const mostPeaks = 500;

/**
 * Watches until something ends it.
 * @returns the exit status
 * @throws ArgumentError no socket listens there; LabError the
 * recording cannot be written
 */
export async function watchTarget(target: Target, options: Options): Promise<number> {
  const { hz, record, wait, follow } = options;
  const watching = new Watching({ target, hz, record, wait, follow });
  const output = new LiveOutput(options.json);
  const end: End = { status: 0, reason: "" };
  try {
    await reportUntilEnd(watching, output, options, end);
    if (!watching.found && end.reason === "") {
      end.status = listenerGone;
      end.reason = `No socket has listened on ${target.text}.`;
    }
  } finally {
    await summarize(watching, output, { target, record }, end);
  }
  return end.status;
}

async function reportUntilEnd(watching: Watching, output: LiveOutput, options: Options, end: End): Promise<void> {
  const shown = new Shown(watching, output, options.json ?? false);
  shown.events();
  end.reason = await keepWatching({
    interval: options.interval,
    duration: options.for,
    left: output.left,
    look() {
      const cause = causeOf(options.alert, watching.look());
      shown.events();
      if (cause !== undefined) {
        end.status = alerted;
        watching.mark("alert", cause);
        return `ALERT: ${cause}`;
      }
      if (watching.ended !== undefined) end.status = listenerGone;
      return watching.ended;
    },
    report: () => shown.reports(watching.report()),
  });
}

/** Prints reports and events in the form that was asked for. */
class Shown {
  private readonly peaks = new Map<string, number[]>();
  private readonly sentences: string[] = [];

  constructor(
    private readonly watching: Watching,
    private readonly output: LiveOutput,
    private readonly json: boolean,
  ) {}

  reports(reports: readonly Report[]): void {
    for (const { listener, peak } of reports) {
      const peaks = this.peaks.get(listener) ?? [];
      this.peaks.set(listener, [...peaks, peak].slice(-mostPeaks));
    }
    if (this.json) for (const report of reports) this.show(report, () => "", []);
    else if (process.stdout.isTTY || reports.length > 0) this.show({}, () => reports.map(line).join("\n"), reports);
  }

  /** What has happened since the last call. */
  events(): void {
    for (const event of this.watching.takeEvents()) {
      const text = sentenceOf(event);
      this.sentences.push(text);
      // the sentence that ends the watch is its reason, which the summary says
      const last = event.detail === this.watching.ended;
      if (this.json || (!process.stdout.isTTY && !last)) this.show(event, () => text);
    }
    this.sentences.splice(0, this.sentences.length - 3);
  }

  private show(data: object, plain: () => string = () => "", reports: readonly Report[] = []): void {
    const context = {
      history: this.peaks,
      events: this.sentences,
      width: sizeOf(process.stdout).columns,
      time: this.watching.elapsed / 1000,
    };
    this.output.show(data, () => panel(reports, context), plain);
  }
}

function sentenceOf({ time, detail }: WatchEvent): string {
  return `${time.toFixed(1)} s  ${detail}`;
}

/** Ends the recording and prints the summary. @throws LabError the recording cannot be written */
async function summarize(
  watching: Watching,
  output: LiveOutput,
  { target, record }: { target: Target; record?: string },
  { status: exit, reason }: End,
): Promise<void> {
  const seconds = watching.elapsed / 1000;
  const recorded = await watching.stop();
  const samples = recorded?.trace.meta.samples;
  if (recorded)
    output.note(`${record}: ${formatCount(recorded.trace.meta.samples)} samples, ${formatCount(recorded.bytes)} bytes`);
  const { increases: namespace, totals } = watching;
  const peak = Math.max(0, ...totals.map((each) => each.peak));
  const drops = totals.reduce((sum, each) => sum + each.drops, 0);
  const cost = watching.threadCpu / (seconds * 1000);
  output.end(
    { port: target.port, seconds, reason, exit, peak, drops, listeners: totals, samples, namespace, cost },
    `${reason ? `${reason}\n` : ""}${seconds.toFixed(1)} s: peak ${formatCount(peak)}, drops ${formatCount(drops)}; in the whole network namespace overflows ${formatCount(namespace.overflows)}, drops ${formatCount(namespace.drops)}; sampling used ${formatPercent(cost)} of a core`,
  );
}

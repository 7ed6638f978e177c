import { type Command, Option } from "commander";
import { ArgumentError, LabError } from "../errors";
import { native } from "../native";
import { LiveOutput } from "../terminal/live-output";
import { sizeOf } from "../terminal/repaint";
import { type Alert, causeOf } from "../watch/alert";
import { fullness, holders, type Listening, named, readListening } from "../watch/listeners";
import { readOverflows } from "../watch/overflows";
import { keepWatching, lookInterval } from "../watch/pace";
import type { Report } from "../watch/report";
import { line, listenersTable, panel } from "../watch/screen";
import { Watching } from "../watch/watching";
import { formatCount, formatPercent } from "../wording/number";
import { alertOf, durationOf, portOf, rateOf } from "./watch-arguments";

interface Options {
  record?: string;
  alert?: Alert;
  /** ms */
  for?: number;
  /** ms */
  interval: number;
  hz: number;
  json?: boolean;
}

/** Exit statuses besides 0 and 1, explained in --help. */
const alerted = 2;
const listenerGone = 3;

/** peaks that the sparkline may draw */
const mostPeaks = 500;

const help = `
With a port: the accept queue and its capacity, the SYN queue, and the peak since the start. The accept rate and the
counters of overflows and drops belong to the whole network namespace, all its listeners together: the kernel has no
such counters for one listener. If several sockets listen on the port, each has an accept queue of its own: watch shows
their sum, and how full the fullest is.
Without a port: every listener of this network namespace and how full it is, read ten times per second.

Alerts: --alert 80% ends the watch as soon as an accept queue is 80 % full, --alert overflows at any increase of
ListenOverflows, and --alert 80%,overflows at the first of the two. A burst of milliseconds can pass between two samples
of the queue; the kernel counts every overflow. An overflow of another listener of the network namespace counts, too.

watch only reads: the kernel's table of listeners --hz times per second, and the counters ten times per second. Counting
the SYN queue is the expensive part, because the kernel walks the table of all connections: milliseconds on a host with
262,144 buckets. watch limits this to 1 % of a core, which is about one count per second there. In total it uses about
2 % of a core at 20 samples per second and about 10 % at 1000 on such a host. It shows what it uses while it runs.

A recording is written every two seconds. After kill -9 the file lacks the last seconds. A notebook can load the file
while it grows. Each change of the queues or counters is a row. Beyond 500,000 rows the older rows are thinned to half
the resolution; every peak stays at its time. The file is at most about 10 MB, and needs as much again while it is
rewritten.

Exit status: 0 ended by --for, by Ctrl-C or because the reader of its output has gone; 1 bad input, or the recording
cannot be written; 2 the alert; 3 the listener was closed.

Examples:
  npx one-listener watch :443
  npx one-listener watch :443 --for 60 --alert 80%,overflows || page-somebody
  npx one-listener watch :443 --record day.trace --for 24h
     and in a notebook:  const trace = await Trace.load("day.trace"); plot.overview(trace);`;

/** Adds `one-listener watch` to the program. */
export function addWatch(program: Command): void {
  program
    .command("watch")
    .argument("[port]", "8080 or :8080; default: every listener of this network namespace", portOf)
    .description("watch a listener of this machine live: its queues, drops and accept rate")
    .option("--record <file>", "save a Trace that the notebooks can plot; the file grows during the watch")
    .option(
      "--alert <what>",
      "end with status 2 when an accept queue is this full, such as 80%; or on overflows; or 80%,overflows",
      alertOf,
    )
    .option("--for <time>", "end after this time: 30 (seconds), 10m, 24h", durationOf)
    .addOption(
      new Option("--interval <time>", "time between two reports: 5 (seconds), 500ms")
        .argParser(durationOf)
        .default(1000, "1 second"),
    )
    .option("--hz <n>", "samples of the accept queue per second, 1 to 1000", rateOf, 20)
    .option("--json", "print one object per line for each interval, and a summary as the last one")
    .addHelpText("after", help)
    .action(async (port: number | undefined, options: Options) => {
      if (options.interval < lookInterval) throw new ArgumentError("--interval must be at least 0.1 seconds.");
      if (options.record !== undefined && port === undefined)
        throw new ArgumentError(
          "--record needs a port, because a Trace is a recording of one port.",
          "For example: npx one-listener watch :8080 --record day.trace",
        );
      process.exitCode = port === undefined ? await watchAll(options) : await watchPort(port, options);
    });
}

/** How a watch ended. */
interface End {
  status: number;
  reason: string;
}

async function watchPort(port: number, options: Options): Promise<number> {
  const watching = new Watching({ port, hz: options.hz, record: options.record });
  const output = new LiveOutput(options.json);
  const end: End = { status: 0, reason: "" };
  try {
    await reportPort(watching, output, options, port, end);
  } catch (error) {
    if (!(error instanceof LabError && error.code === "ERR_CLOSED")) throw error;
    end.status = listenerGone;
    end.reason = error.message;
  } finally {
    await summarize(watching, output, options, port, end);
  }
  return end.status;
}

/** Watches one port until something ends it. */
async function reportPort(watching: Watching, output: LiveOutput, options: Options, port: number, end: End) {
  const owner = named(holders(new Set(watching.found.map(({ inode }) => inode))).values());
  const title = `port ${port}${owner ? `, ${owner}` : ""}`;
  const peaks: number[] = [];
  end.reason = await keepWatching({
    interval: options.interval,
    duration: options.for,
    left: output.left,
    look() {
      const cause = causeOf(options.alert, { ...watching.look(), queue: `an accept queue of port ${port}` });
      if (cause === undefined) return undefined;
      end.status = alerted;
      watching.mark("alert", cause);
      return `ALERT: ${cause}`;
    },
    report() {
      const report: Report = watching.report();
      peaks.push(report.peak);
      if (peaks.length > mostPeaks) peaks.shift();
      output.show(
        report,
        () => panel(title, report, peaks, sizeOf(process.stdout).columns),
        () => line(report),
      );
    },
  });
}

/** Ends the recording and prints the summary. @throws LabError the recording cannot be written */
async function summarize(watching: Watching, output: LiveOutput, { record }: Options, port: number, end: End) {
  const seconds = watching.elapsed / 1000;
  const recorded = await watching.stop();
  const samples = recorded?.trace.meta.samples;
  if (recorded)
    output.note(`${record}: ${formatCount(recorded.trace.meta.samples)} samples, ${formatCount(recorded.bytes)} bytes`);
  const { overflows, drops, cookies } = watching.reported;
  const { reason, status: exit } = end;
  const peak = watching.longest;
  const cost = watching.threadCpu / (seconds * 1000);
  output.end(
    { port, seconds, reason, exit, peak, samples, overflows, drops, cookies, cost },
    `${reason ? `${reason}\n` : ""}${seconds.toFixed(1)} s: peak ${formatCount(peak)}, overflows ${formatCount(overflows)}, drops ${formatCount(drops)}; sampling used ${formatPercent(cost)} of a core`,
  );
}

async function watchAll(options: Options): Promise<number> {
  const diagFd = native.diagSocket();
  const output = new LiveOutput(options.json);
  const peaks = new Map<number, number>();
  const overflowsBefore = readOverflows();
  const owners = new Owners();
  let status = 0;
  try {
    const reason = await keepWatching({
      interval: options.interval,
      duration: options.for,
      left: output.left,
      look() {
        const listening = readListening(diagFd);
        for (const { inode, acceptQueue } of listening) peaks.set(inode, Math.max(peaks.get(inode) ?? 0, acceptQueue));
        const [fullest] = [...listening].sort((a, b) => fullness(b) - fullness(a));
        const cause = causeOf(options.alert, {
          full: fullest ? fullness(fullest) : 0,
          overflows: options.alert?.overflows ? readOverflows() - overflowsBefore : 0,
          queue: `the accept queue of port ${fullest?.port ?? 0}`,
        });
        if (cause !== undefined) status = alerted;
        return cause && `ALERT: ${cause}`;
      },
      report: () => showAll(output, readListening(diagFd), peaks, owners),
    });
    output.end({ reason, exit: status }, reason);
  } finally {
    native.close(diagFd);
  }
  return status;
}

/** Which processes hold the listeners. Finding out is a walk over all processes, so it is done only when the listeners change. */
class Owners {
  private known = "";
  private found = new Map<number, string>();

  of(listening: readonly Listening[]): ReadonlyMap<number, string> {
    const inodes = listening.map(({ inode }) => inode);
    if (inodes.join() !== this.known) this.found = holders(new Set(inodes));
    this.known = inodes.join();
    return this.found;
  }
}

function showAll(
  output: LiveOutput,
  listening: readonly Listening[],
  peaks: ReadonlyMap<number, number>,
  owners: Owners,
): void {
  const heldBy = owners.of(listening);
  const rows = listening.map((each) => ({
    ...each,
    full: fullness(each),
    peak: peaks.get(each.inode) ?? 0,
    heldBy: heldBy.get(each.inode),
  }));
  const table = () =>
    listening.length > 0 ? listenersTable(listening, peaks, heldBy) : ["No socket listens in this network namespace."];
  output.show({ listeners: rows }, table, () => `${table().join("\n")}\n`);
}

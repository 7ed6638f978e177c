import { Command, InvalidArgumentError, Option } from "commander";
import { ArgumentError, LabError } from "../errors";
import { native } from "../native";
import { Repainter } from "../terminal/repaint";
import { fullness, holders, named, readListening } from "../watch/listeners";
import { readOverflows } from "../watch/overflows";
import { line, listenersTable, panel } from "../watch/screen";
import { formatCount, formatPercent } from "../wording/number";
import { Report, Watching } from "../watch/watching";

interface Options {
  record?: string;
  alert?: Alert;
  for?: number;
  interval: number;
  hz: number;
  json?: boolean;
}

/** What ends the watch with status 2. */
interface Alert {
  /** an accept queue that is so full, 0 to 1 */
  share?: number;
  /** any increase of ListenOverflows */
  overflows?: boolean;
}

/** Exit statuses besides 0 and 1, told in --help. */
const alerted = 2;
const listenerGone = 3;

/** what is recorded is saved when the terminal is closed, too */
const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** ms between two looks at what was sampled */
const lookInterval = 100;

const help = `
Of one port: accept queue and maximum, SYN queue, peak since the start. The accept rate and the counters of overflows
and drops are those of the whole network namespace, all its listeners together: the kernel keeps none for a listener.
Where several sockets listen on the port, each has a queue of its own: their sum is shown, and how full the fullest is.
Without a port: every listener of this network namespace and how full it is, looked at ten times a second.

Alerts: --alert 80% fires as soon as an accept queue is so full, --alert overflows at any increase of ListenOverflows,
and --alert 80%,overflows at whichever comes first. A burst of milliseconds may pass between two looks at the queue; the
kernel counts each overflow. That of another listener of the network namespace fires, too.

It only reads: the kernel's table of listeners, --hz times a second; ten times a second its counters; and the SYN queue
as often as 1 % of a core allows, since for its length the kernel walks the table of all connections: milliseconds on a
host with 262,144 buckets, which is then one look a second or so. All together some 2 % of a core at 20 looks a second,
some 10 % at 1000, on such a host; what it is here is shown while it runs.

A recording is written every two seconds: a watch that is killed (kill -9) leaves a file that lacks the last few, and a
notebook may load the file while it grows. It is bounded: a change of the queues or counters is a row, and beyond
500,000 rows the older ones are thinned, each time to half the resolution, so that each peak stays, at the moment at
which it was. That is a file of at most some 10 MB, and as much again while it is written anew.

Exit status: 0 ended by --for, by Ctrl-C or because nobody reads its output any more; 1 bad input, or the recording
cannot be written; 2 the alert; 3 the listener was closed.

Examples:
  npx one-listener watch :443
  npx one-listener watch :443 --for 60 --alert 80%,overflows || page-somebody
  npx one-listener watch :443 --record day.trace --for 24h
     and in a notebook:  const trace = await Trace.load("day.trace"); plot.overview(trace);`;

export function addWatch(program: Command): void {
  program
    .command("watch")
    .argument("[port]", "8080 or :8080; every listener of this machine if left out", portOf)
    .description("watch a listener of this machine live: its queues, drops and accept rate")
    .option("--record <file>", "save a Trace that the notebooks can plot, written as it grows")
    .option(
      "--alert <what>",
      "end with status 2 when an accept queue is so full, such as 80%; or on overflows; or 80%,overflows",
      alertOf,
    )
    .option("--for <time>", "end after so long: 30 (seconds), 10m, 24h", durationOf)
    .addOption(
      new Option("--interval <time>", "how often to report: 5 (seconds), 500ms")
        .argParser(durationOf)
        .default(1000, "1 second"),
    )
    .option("--hz <n>", "looks at the accept queue a second, 1 to 1000", rateOf, 20)
    .option("--json", "an object a line for each interval, and a summary as the last one")
    .addHelpText("after", help)
    .action(async (port: number | undefined, options: Options) => {
      if (options.interval < lookInterval) throw new ArgumentError("--interval is at least 0.1 seconds.");
      if (options.record !== undefined && port === undefined)
        throw new ArgumentError(
          "--record needs a port: a Trace is of one listener.",
          "For example: npx one-listener watch :8080 --record day.trace",
        );
      process.exitCode = port === undefined ? await watchAll(options) : await watchPort(port, options);
    });
}

async function watchPort(port: number, options: Options): Promise<number> {
  const watching = new Watching({ port, hz: options.hz, record: options.record });
  const owner = named(holders(new Set(watching.found.map(({ inode }) => inode))).values());
  const title = `port ${port}${owner ? `, ${owner}` : ""}`;
  const history: number[] = [];
  const screen = new Screen(options.json);
  let status = 0;
  let reason = "";
  let last: Report | undefined;
  try {
    reason = await every(
      options,
      screen.left,
      () => {
        const seen = watching.look();
        const cause = causeOf(options.alert, seen.full, seen.overflows, `an accept queue of port ${port}`);
        if (cause === undefined) return undefined;
        status = alerted;
        watching.mark("alert", cause);
        return `ALERT: ${cause}`;
      },
      () => {
        last = watching.report();
        history.push(last.peak);
        if (history.length > 500) history.shift();
        screen.show(
          last,
          () => panel(title, last!, history, process.stdout.columns ?? 80),
          () => line(last!),
        );
      },
    );
  } catch (error) {
    if ((error as LabError).code !== "ERR_CLOSED") throw error;
    status = listenerGone;
    reason = (error as LabError).message;
  } finally {
    const seconds = watching.elapsed / 1000;
    const recorded = await watching.stop();
    if (recorded)
      screen.note(
        `${options.record}: ${formatCount(recorded.trace.meta.samples)} samples, ${formatCount(recorded.bytes)} bytes`,
      );
    const summary = {
      port,
      seconds,
      reason,
      exit: status,
      peak: watching.longest,
      samples: recorded?.trace.meta.samples,
      overflows: last?.overflowsEver ?? 0,
      drops: last?.dropsEver ?? 0,
      cookies: last?.cookiesEver ?? 0,
      cost: watching.threadCpu / (seconds * 1000),
    };
    screen.end(
      summary,
      `${reason ? `${reason}\n` : ""}${seconds.toFixed(1)} s: peak ${formatCount(summary.peak)}, overflows ${formatCount(summary.overflows)}, drops ${formatCount(summary.drops)}; sampling took ${formatPercent(summary.cost)} of a core`,
    );
  }
  return status;
}

async function watchAll(options: Options): Promise<number> {
  const diagFd = native.diagSocket();
  const peaks = new Map<number, number>();
  const screen = new Screen(options.json);
  const overflowsBefore = readOverflows();
  let owners = new Map<number, string>();
  let known = "";
  let status = 0;
  try {
    const reason = await every(
      options,
      screen.left,
      () => {
        const listening = readListening(diagFd);
        for (const { inode, acceptQueue } of listening) peaks.set(inode, Math.max(peaks.get(inode) ?? 0, acceptQueue));
        const fullest = listening.reduce((most, each) => (fullness(each) > fullness(most) ? each : most), {
          port: 0,
          acceptQueue: 0,
          maximum: 0,
        });
        const overflows = options.alert?.overflows ? readOverflows() - overflowsBefore : 0;
        const cause = causeOf(options.alert, fullness(fullest), overflows, `the accept queue of port ${fullest.port}`);
        if (cause !== undefined) status = alerted;
        return cause && `ALERT: ${cause}`;
      },
      () => {
        const listening = readListening(diagFd);
        const inodes = listening.map(({ inode }) => inode);
        if (inodes.join() !== known) owners = holders(new Set(inodes)); // a walk over all processes: only when somebody came or went
        known = inodes.join();
        const rows = listening.map((each) => ({
          ...each,
          full: fullness(each),
          peak: peaks.get(each.inode) ?? 0,
          heldBy: owners.get(each.inode),
        }));
        const table = () =>
          listening.length > 0
            ? listenersTable(listening, peaks, owners)
            : ["Nobody listens in this network namespace."];
        screen.show({ listeners: rows }, table, () => `${table().join("\n")}\n`);
      },
    );
    screen.end({ reason, exit: status }, reason);
  } finally {
    native.close(diagFd);
  }
  return status;
}

/** Why the alert fires, or undefined. */
function causeOf(alert: Alert | undefined, full: number, overflows: number, queue: string): string | undefined {
  if (alert?.overflows && overflows > 0)
    return `ListenOverflows rose by ${formatCount(overflows)}: an accept queue of this network namespace had no room`;
  if (alert?.share !== undefined && full >= alert.share) return `${queue} was ${formatPercent(full)} full`;
  return undefined;
}

/** Looks ten times a second and reports every interval, until look() gives a reason to end, the time is over, Ctrl-C is pressed or nobody reads on. */
async function every(
  { for: duration, interval }: Options,
  left: Promise<"left">,
  look: () => string | undefined,
  report: () => void,
): Promise<string> {
  const start = native.now();
  let interrupted: () => void = () => undefined;
  const signal = new Promise<"signal">((resolve) => (interrupted = () => resolve("signal")));
  for (const name of endings) process.once(name, interrupted);
  try {
    for (let next = start + interval; ;) {
      const now = native.now();
      const over = duration !== undefined && now - start >= duration;
      const reason = look();
      if (reason !== undefined || over || now >= next) report();
      if (now >= next) next = Math.max(next + interval, now);
      if (reason !== undefined) return reason;
      if (over) return "";
      const pause = Math.max(
        1,
        Math.min(lookInterval, next - now, duration === undefined ? Infinity : start + duration - now),
      );
      let timer: NodeJS.Timeout | undefined;
      const slept = new Promise<"slept">((resolve) => (timer = setTimeout(resolve, pause, "slept")));
      const woken = await Promise.race([slept, signal, left]);
      clearTimeout(timer);
      if (woken !== "slept") return "";
    }
  } finally {
    for (const name of endings) process.off(name, interrupted);
  }
}

/** Redraws in place on a terminal, appends elsewhere. */
class Screen {
  /** comes true when whoever read the output has gone: `watch | head -1` */
  readonly left: Promise<"left">;
  private readonly painter = new Repainter(process.stdout);

  constructor(private readonly json = false) {
    this.left = new Promise((resolve, reject) => {
      const lost = (error: NodeJS.ErrnoException) => (error.code === "EPIPE" ? resolve("left") : reject(error));
      for (const stream of [process.stdout, process.stderr]) stream.on("error", lost); // without a listener of it, an error ends the process
    });
    this.left.catch(() => undefined); // every() throws it
  }

  show(data: object, drawn: () => string[], plain: () => string): void {
    if (this.json) return void process.stdout.write(`${JSON.stringify(data)}\n`);
    if (!process.stdout.isTTY) return void process.stdout.write(`${plain()}\n`);
    this.painter.paint(drawn());
  }

  /** Beside the output proper. */
  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  end(summary: object, plain: string): void {
    if (this.json) process.stdout.write(`${JSON.stringify({ summary })}\n`);
    else if (plain) process.stdout.write(`${plain}\n`);
  }
}

function portOf(text: string): number {
  const port = Number(/^:?(\d+)$/.exec(text)?.[1]);
  if (!(port >= 1 && port <= 65535))
    throw new InvalidArgumentError("A port is a number from 1 to 65535, such as 8080 or :8080.");
  return port;
}

/** "80%", "overflows", or both with a comma; a second --alert adds to the first. */
function alertOf(text: string, before: Alert = {}): Alert {
  return text.split(",").reduce<Alert>((alert, part) => {
    if (part === "overflows") return { ...alert, overflows: true };
    const value = Number(/^(\d+(?:\.\d+)?)%$/.exec(part)?.[1]);
    if (!(value > 0 && value <= 100))
      throw new InvalidArgumentError(
        "An alert is a percentage above 0 and up to 100, such as 80%; or overflows; or both, 80%,overflows.",
      );
    return { ...alert, share: Math.min(value / 100, alert.share ?? 1) };
  }, before);
}

/** ms */
function durationOf(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const value = Number(number) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[(unit ?? "s") as "s"];
  if (!(value > 0 && value <= 1e10))
    throw new InvalidArgumentError("A time is a number of seconds, or such as 500ms, 10m, 24h.");
  return value;
}

function rateOf(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 1000)) throw new InvalidArgumentError("Looks a second are a number from 1 to 1000.");
  return value;
}

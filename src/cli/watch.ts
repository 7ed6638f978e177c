import { Command, InvalidArgumentError } from "commander";
import { accessSync, constants, existsSync } from "node:fs";
import path from "node:path";
import { ArgumentError, LabError } from "../errors";
import { native } from "../native";
import { fullness, holders, readListening } from "../watch/listeners";
import { count, line, listenersTable, panel, percent } from "../watch/screen";
import { Report, Watching } from "../watch/watching";

interface Options {
  record?: string;
  alert?: number;
  for?: number;
  interval: number;
  hz: number;
  json?: boolean;
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
Without a port: every listener of this network namespace and how full it is.

It only reads: the kernel's socket table (sock_diag), --hz times a second, and its counters. What that takes of a
core is shown while it runs; with very many connections the kernel walks a longer table, so the look
at the queues is then made less often, and never takes more than a fifth of a core. Peaks shorter than 1/hz may be
missed in the queue, not in the overflow counters. Where several sockets listen on the port, the alert looks at each
of them ten times a second.

Exit status: 0 ended by --for or Ctrl-C; 1 bad input; 2 the alert; 3 the listener was closed.

Examples:
  npx one-listener watch :443
  npx one-listener watch :443 --for 60 --alert 80% || page-somebody
  npx one-listener watch :443 --record day.trace --for 24h
     and in a notebook:  const trace = await Trace.load("day.trace"); plot.overview(trace);`;

export function addWatch(program: Command): void {
  program
    .command("watch")
    .argument("[port]", "8080 or :8080; every listener of this machine if left out", portOf)
    .description("watch a listener of this machine live: its queues, drops and accept rate")
    .option("--record <file>", "save a Trace that the notebooks can plot")
    .option("--alert <share>", "end with status 2 as soon as an accept queue is so full, such as 80%", shareOf)
    .option("--for <time>", "end after so long: 30 (seconds), 10m, 24h", durationOf)
    .option("--interval <time>", "how often to report: 1 (seconds)", durationOf, 1000)
    .option("--hz <n>", "looks at the queues a second, 1 to 1000", rateOf, 20)
    .option("--json", "an object a line for each interval, and a summary as the last one")
    .addHelpText("after", help)
    .action(async (port: number | undefined, options: Options) => {
      if (options.interval < lookInterval) throw new ArgumentError("--interval is at least 0.1 seconds.");
      if (options.record !== undefined) requireWritable(options.record, port);
      process.exitCode = port === undefined ? await watchAll(options) : await watchPort(port, options);
    });
}

async function watchPort(port: number, options: Options): Promise<number> {
  const watching = new Watching({ port, hz: options.hz, record: options.record !== undefined });
  const owner = [...holders(new Set(watching.found.map(({ inode }) => inode))).values()].join(", ");
  const title = `port ${port}${owner ? `, ${owner}` : ""}`;
  const history: number[] = [];
  const screen = new Screen(options.json);
  let status = 0;
  let reason = "";
  let last: Report | undefined;
  try {
    reason = await every(options, () => {
      const full = watching.look();
      if (options.alert === undefined || full < options.alert) return undefined;
      status = alerted;
      return `ALERT: an accept queue of port ${port} was ${percent(full)} full`;
    }, () => {
      last = watching.report();
      history.push(last.peak);
      if (history.length > 500) history.shift();
      screen.show(last, () => panel(title, last!, history, process.stdout.columns ?? 80), () => line(last!));
    });
  } catch (error) {
    if ((error as LabError).code !== "ERR_CLOSED") throw error;
    status = listenerGone;
    reason = (error as LabError).message;
  } finally {
    const seconds = watching.elapsed / 1000;
    const trace = watching.stop();
    if (trace && options.record) {
      const bytes = await trace.save(options.record);
      process.stderr.write(`${options.record}: ${count(trace.meta.samples)} samples, ${count(bytes)} bytes\n`);
    }
    const summary = {
      port, seconds, reason, exit: status, peak: watching.longest, samples: trace?.meta.samples,
      overflows: last?.overflowsEver ?? 0, drops: last?.dropsEver ?? 0, cookies: last?.cookiesEver ?? 0, cost: watching.threadCpu / (seconds * 1000),
    };
    screen.end(summary, `${reason ? `${reason}\n` : ""}${seconds.toFixed(1)} s: peak ${count(summary.peak)}, overflows ${count(summary.overflows)}, drops ${count(summary.drops)}; sampling took ${percent(summary.cost)} of a core`);
  }
  return status;
}

async function watchAll(options: Options): Promise<number> {
  const diagFd = native.diagSocket();
  const peaks = new Map<number, number>();
  const screen = new Screen(options.json);
  let owners = new Map<number, string>();
  let known = "";
  let status = 0;
  try {
    const reason = await every(options, () => {
      for (const each of readListening(diagFd)) {
        peaks.set(each.inode, Math.max(peaks.get(each.inode) ?? 0, each.acceptQueue));
        if (options.alert === undefined || fullness(each) < options.alert) continue;
        status = alerted;
        return `ALERT: the accept queue of port ${each.port} is ${percent(fullness(each))} full`;
      }
      return undefined;
    }, () => {
      const listening = readListening(diagFd);
      const inodes = listening.map(({ inode }) => inode);
      if (inodes.join() !== known) owners = holders(new Set(inodes)); // a walk over all processes: only when somebody came or went
      known = inodes.join();
      const rows = listening.map((each) => ({ ...each, full: fullness(each), peak: peaks.get(each.inode) ?? 0, heldBy: owners.get(each.inode) }));
      const table = () => (listening.length > 0 ? listenersTable(listening, peaks, owners) : ["Nobody listens in this network namespace."]);
      screen.show({ listeners: rows }, table, () => `${table().join("\n")}\n`);
    });
    screen.end({ reason, exit: status }, reason);
  } finally {
    native.close(diagFd);
  }
  return status;
}

/** Looks ten times a second and reports every interval, until look() gives a reason to end, the time is over or Ctrl-C is pressed. */
async function every({ for: duration, interval }: Options, look: () => string | undefined, report: () => void): Promise<string> {
  const start = native.now();
  let interrupted: () => void = () => undefined;
  const signal = new Promise<"signal">((resolve) => (interrupted = () => resolve("signal")));
  for (const name of endings) process.once(name, interrupted);
  try {
    for (let next = start + interval; ; ) {
      const now = native.now();
      const over = duration !== undefined && now - start >= duration;
      const reason = look();
      if (reason !== undefined || over || now >= next) report();
      if (now >= next) next = Math.max(next + interval, now);
      if (reason !== undefined) return reason;
      if (over) return "";
      const pause = Math.max(1, Math.min(lookInterval, next - now, duration === undefined ? Infinity : start + duration - now));
      let timer: NodeJS.Timeout | undefined;
      const slept = new Promise<"slept">((resolve) => (timer = setTimeout(resolve, pause, "slept")));
      const woken = await Promise.race([slept, signal]);
      clearTimeout(timer);
      if (woken === "signal") return "";
    }
  } finally {
    for (const name of endings) process.off(name, interrupted);
  }
}

/** Redraws in place on a terminal, appends elsewhere. */
class Screen {
  private lines = 0;

  constructor(private readonly json = false) {}

  show(data: object, drawn: () => string[], plain: () => string): void {
    if (this.json) return void process.stdout.write(`${JSON.stringify(data)}\n`);
    if (!process.stdout.isTTY) return void process.stdout.write(`${plain()}\n`);
    const width = process.stdout.columns || 80;
    const lines = drawn().slice(0, Math.max(1, (process.stdout.rows || 24) - 1)).map((text) => [...text].slice(0, width - 1).join(""));
    const home = this.lines > 0 ? `\u001b[${this.lines}A` : "";
    process.stdout.write(`${home}${lines.map((text) => `\u001b[K${text}\n`).join("")}\u001b[J`);
    this.lines = lines.length;
  }

  end(summary: object, plain: string): void {
    if (this.json) process.stdout.write(`${JSON.stringify({ summary })}\n`);
    else if (plain) process.stdout.write(`${plain}\n`);
  }
}

function portOf(text: string): number {
  const port = Number(/^:?(\d+)$/.exec(text)?.[1]);
  if (!(port >= 1 && port <= 65535)) throw new InvalidArgumentError("A port is a number from 1 to 65535, such as 8080 or :8080.");
  return port;
}

function shareOf(text: string): number {
  const value = Number(/^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]);
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError("A share is a percentage above 0 and up to 100, such as 80%.");
  return value / 100;
}

/** ms */
function durationOf(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const value = Number(number) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[(unit ?? "s") as "s"];
  if (!(value > 0 && value <= 1e10)) throw new InvalidArgumentError("A time is a number of seconds, or such as 500ms, 10m, 24h.");
  return value;
}

function rateOf(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 1000)) throw new InvalidArgumentError("Looks a second are a number from 1 to 1000.");
  return value;
}

function requireWritable(file: string, port: number | undefined): void {
  if (port === undefined) throw new ArgumentError("--record needs a port: a Trace is of one listener.", "For example: npx one-listener watch :8080 --record day.trace");
  if (existsSync(file)) throw new ArgumentError(`${file} exists already.`, "Choose another name, or move it away.");
  try {
    accessSync(path.dirname(path.resolve(file)), constants.W_OK);
  } catch {
    throw new ArgumentError(`Nothing can be written to ${path.dirname(path.resolve(file))}.`, "Choose a folder that exists and that you may write to.");
  }
}

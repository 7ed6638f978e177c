import { type Command, Option } from "commander";
import { ArgumentError } from "../errors";
import { lookInterval } from "../watch/pace";
import type { Target } from "../watch/target";
import { watchAll } from "./watch-all";
import { alertOf, durationOf, rateOf, targetOf } from "./watch-arguments";
import { watchTarget } from "./watch-one";
import type { Options } from "./watch-options";

const help = `
What to watch: 8080 or :8080 is every listener on the port; 127.0.0.2:8080 and [::1]:443 are the listener at one
address; *:80 is 0.0.0.0:80 and [::]:80; localhost:80 is 127.0.0.1:80 and [::1]:80. Listeners at different addresses
have separate reports. Sockets that share address and port (SO_REUSEPORT) are summed, and each one's queue is shown.
Without an argument: every listener of this network namespace, read ten times per second. watch also lists UNIX
listeners then, if a connection waits there. The TCP listener of an MPTCP socket is shown with the mark MPTCP where
the kernel tells it; its accept queue holds the MPTCP connections.

What belongs to the listener: the accept queue, its limit and peaks, the SYN queue, and the drops. "drops" counts the
SYNs and final ACKs that the kernel dropped at this listener, because the accept queue or the SYN queue was full
(sk_drops). What belongs to the whole network namespace, all its listeners together: handshakes, overflows, SYN
cookies, and a second figure of drops. The kernel counts no accept(). accepted = handshakes - growth of the accept
queues, which is exact for the namespace. For one listener it is exact while no other one listens, or while nothing is
accepted in the namespace. Otherwise the rate is not known: – in the text, null and the reason in --json.

Alerts: --alert 80% ends the watch as soon as an accept queue is 80 % full; --alert drops at any drop at a watched
listener; --alert overflows at any increase of ListenOverflows, which is of the whole network namespace. --alert
80%,drops ends at the first of the two. A burst of milliseconds can pass between two samples of the queue. The kernel
counts every drop. UNIX listeners cause no alert.

watch only reads: the kernel's table of listeners --hz times per second for each address, and the counters ten times
per second. Counting the SYN queue is the expensive part, because the kernel walks the table of all connections:
milliseconds on a host with 262,144 buckets. watch limits this to 1 % of a core, which is about one count per second
there. In total it uses about 2 % of a core at 20 samples per second and about 10 % at 1000 on such a host. It shows
what it uses while it runs.

When the listener is closed, the watch ends with status 3, also if another socket takes its place. With --follow it
goes on: it says that no socket listens (in --json listeners is 0 and the queues are null), and when one listens
again. --wait starts before the server listens. watch looks for new listeners ten times per second.

A recording is of one address and port, and is written every two seconds. After kill -9 the file lacks the last
seconds. A notebook can load the file while it grows. Each change of the queues or counters is a row. The counters in
it are those of the whole network namespace. While no socket listens (--follow), the queue is recorded as 0 between
the events "closed" and "listening". Beyond 500,000 rows the older rows are thinned to half the resolution; every peak
stays at its time. The file is at most about 10 MB, and needs as much again while it is rewritten.

A container has a network namespace of its own. As root: nsenter -t PID -n npx one-listener watch, where
docker inspect -f '{{.State.Pid}}' NAME prints the PID.

Exit status: 0 ended by --for, by Ctrl-C or because the reader of its output has gone; 1 bad input, or the recording
cannot be written; 2 the alert; 3 the listener was closed, or with --wait no socket has listened.

Examples:
  npx one-listener watch :443
  npx one-listener watch [::1]:443 --for 60 --alert 80%,drops || page-somebody
  npx one-listener watch :443 --wait --follow --json
  npx one-listener watch 0.0.0.0:443 --record day.trace --for 24h
     and in a notebook:  const trace = await Trace.load("day.trace"); plot.overview(trace);`;

/** Adds `one-listener watch` to the program. */
export function addWatch(program: Command): void {
  program
    .command("watch")
    .argument("[listener]", "8080, :8080, 127.0.0.2:8080 or [::1]:443; default: every listener", targetOf)
    .description("watch the listeners of this machine live: their queues, drops and accept rate")
    .option("--record <file>", "save a Trace that the notebooks can plot; the file grows during the watch")
    .option(
      "--alert <what>",
      "end with status 2 when an accept queue is this full, such as 80%; or on drops; or on overflows; or 80%,drops",
      alertOf,
    )
    .option("--for <time>", "end after this time: 30 (seconds), 10m, 24h", durationOf)
    .option("--wait", "start before the server listens")
    .option("--follow", "keep watching when the listener is closed, until it comes back")
    .addOption(
      new Option("--interval <time>", "time between two reports: 5 (seconds), 500ms")
        .argParser(durationOf)
        .default(1000, "1 second"),
    )
    .option("--hz <n>", "samples of the accept queue per second, 1 to 1000", rateOf, 20)
    .option("--json", "print one object per line for each interval and address, and a summary as the last one")
    .addHelpText("after", help)
    .action(async (target: Target | undefined, options: Options) => {
      if (options.interval < lookInterval) throw new ArgumentError("--interval must be at least 0.1 seconds.");
      if (target === undefined) requireNoTargetOptions(options);
      process.exitCode = target === undefined ? await watchAll(options) : await watchTarget(target, options);
    });
}

/** @throws ArgumentError an option makes sense only for a listener that is named */
function requireNoTargetOptions({ record, wait, follow }: Options): void {
  if (record !== undefined)
    throw new ArgumentError(
      "--record needs a port, because a Trace is a recording of one address and port.",
      "For example: npx one-listener watch :8080 --record day.trace",
    );
  if (wait || follow)
    throw new ArgumentError(
      `${wait ? "--wait" : "--follow"} needs a port.`,
      "Without a port watch shows every listener, and goes on when listeners come and go.",
    );
}

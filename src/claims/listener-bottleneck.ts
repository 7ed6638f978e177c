/** Claims 59 to 61: bottlenecks, the semaphore, monitoring. */
import { readdirSync, readFileSync } from "node:fs";
import { ArgumentError } from "../errors";
import type { Lab } from "../front-door";
import { constant } from "../listener/arrivals";
import { native } from "../native";
import { handOff, limited, type Server } from "../server/accept-loops";
import { formatNumber } from "../wording/number";
import { claim, UndecidedError } from "./claim";
import { amount, count, group, optional } from "./evidence";
import { clientsWithin, inLab } from "./experiment";
import { median } from "./median";
import { isBusy, othersField, requireQuietMachine, watchProcessors } from "./processor-share";

const queued = 20_000;
/** ms that all rounds may take: on a slow or a busy machine there are fewer of them */
const budget = 15_000;
/** rounds: the spread of their figures tells whether they say anything; where the machine is busy, one is enough */
const rounds = { fewest: 5, most: 20 };
/** the factor that a second thread can make: rounds that differ by more say nothing about it */
const muchSpread = 2;

/** Connections per second that `threads` threads accept from filled queues of `length` connections. */
async function acceptRate(lab: Lab, listeners: number, threads: number, length: number): Promise<number> {
  const first = await lab.listen({ backlog: length, reusePort: listeners > 1 });
  const all = [first];
  while (all.length < listeners) all.push(await lab.listen({ port: first.port, backlog: length, reusePort: true }));
  const ghosts = await lab.ghosts(first.port, { count: length });
  await ghosts.finished();
  const start = native.now();
  const loops = Array.from({ length: threads }, (_, at) => (all[at % all.length] ?? first).acceptLoop({ close: true }));
  while (all.some((each) => each.acceptQueue > 0)) await new Promise((resolve) => setTimeout(resolve, 1));
  const seconds = (native.now() - start) / 1000;
  const accepted = loops.reduce((sum, loop) => sum + loop.accepted, 0);
  for (const loop of loops) await loop.close();
  await ghosts.close();
  for (const each of all) await each.close();
  return accepted / seconds;
}

async function rates() {
  return inLab({ hashBuckets: 65_536 }, async (lab) => {
    // where somaxconn cannot be set, a queue is shorter and more of them are drained
    await lab.sysctl.trySet({ "net.core.somaxconn": queued });
    const length = Math.min(queued, await lab.sysctl.get("net.core.somaxconn"));
    const runs: Record<"oneThread" | "twoThreads" | "twoListeners", number[]> = {
      oneThread: [],
      twoThreads: [],
      twoListeners: [],
    };
    const wanted = Math.min(rounds.most, Math.max(rounds.fewest, Math.ceil((rounds.fewest * queued) / length)));
    const others = watchProcessors();
    const start = native.now();
    for (
      let round = 0;
      round < wanted && (round < 1 || (native.now() - start < budget && !isBusy(others())));
      round++
    ) {
      runs.oneThread.push(await acceptRate(lab, 1, 1, length));
      runs.twoThreads.push(await acceptRate(lab, 1, 2, length));
      runs.twoListeners.push(await acceptRate(lab, 2, 2, length));
    }
    return {
      oneThread: median(runs.oneThread),
      twoThreads: median(runs.twoThreads),
      twoListeners: median(runs.twoListeners),
      spread: Math.max(...Object.values(runs).map(spreadOf)),
      others: others(),
    };
  });
}

/** How many times the lowest of the middle half of the figures the highest of it is: what one disturbed round says does not count. */
function spreadOf(figures: readonly number[]): number {
  const sorted = Float64Array.from(figures).sort();
  const out = Math.floor(sorted.length / 4);
  return (sorted.at(-1 - out) ?? NaN) / (sorted.at(out) ?? NaN);
}

/**
 * Claim 59: connections per second that one thread accepts, two threads at one listener, and two threads with a
 * listener each. The experiment takes the median of three runs over 60,000 queued connections. Source:
 * inet_csk_accept().
 * @throws ArgumentError judge(): nothing was accepted
 */
export const noBottleneck = claim({
  number: 59,
  section: "Part 6",
  statement: "There is no bottleneck at the listener.",
  quote: "No bottleneck at listener level",
  notebook: "09",
  evidence: {
    oneThread: amount("connections per second that one thread accepts and closes"),
    twoThreads: amount("the same with two threads and one listener"),
    twoListeners: amount("the same with two threads and two listeners of the same port (SO_REUSEPORT)"),
    spread: optional(amount("how many times the lowest figure of the rounds the highest is, for the same threads")),
    others: othersField,
  },
  experiment: (once) => once(rates),
  judge({ oneThread, twoThreads, twoListeners, spread, others }) {
    if (oneThread <= 0) throw new ArgumentError("Nothing was accepted.", "Fill the queue first.");
    const k = (rate: number) => formatNumber(Math.round(rate));
    const measured = `accepts per second: ${k(oneThread)} by one thread, ${k(twoThreads)} by two (${(twoThreads / oneThread).toFixed(2)} times), ${k(twoListeners)} by two with a listener each (${(twoListeners / oneThread).toFixed(2)} times)`;
    const kernel = "inet_csk_accept()";
    requireQuietMachine(others, measured, kernel);
    if (spread !== undefined && spread > muchSpread)
      throw new UndecidedError(
        `${measured}; the rounds differ by a factor of up to ${spread.toFixed(1)}`,
        "The rounds differ more than one thread and two do, so the machine is busy with something else. Measure again when it is quiet.",
        kernel,
      );
    if (twoThreads >= 1.6 * oneThread)
      return {
        verdict: "holds",
        measured,
        why: "Two threads accept nearly twice as many connections per second as one.",
        kernel,
      };
    if (twoListeners > 1.1 * twoThreads) {
      return {
        verdict: "false",
        measured,
        why: "A second thread at the same listener adds less than its share, and a listener of its own adds more: a listener has one accept queue behind one socket lock. SO_REUSEPORT gives each thread a listener of its own.",
        kernel,
      };
    }
    return {
      verdict: "depends",
      measured,
      why: "A second thread adds less than its share. A second listener adds no more, so the limit here is not the listener but something else, perhaps the number of CPUs. With more CPUs, the accept queue and its lock can become the limit.",
      kernel,
    };
  },
});

const semaphoreSize = 10;
const backlog = 64;
const service = 50;

async function serve(lab: Lab, server: Server) {
  const listener = await lab.listen({ backlog });
  let inside = 0;
  let most = 0;
  const running = server(listener, async (connection) => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, service));
    inside--;
    await connection.close();
  });
  const recording = await lab.record(listener, { live: false });
  const clients = 300;
  const crowd = await lab.connect(listener, { clients, schedule: constant(clients, 400), quiet: 100 });
  const trace = await recording.stop();
  const seen = {
    clients,
    most,
    peak: trace.summary().get("acceptQueue").max,
    room: listener.capacity,
    drops: trace.summary().get("TcpExt.ListenDrops").max,
  };
  await crowd.close();
  await listener.close();
  await running;
  return seen;
}

async function withSemaphore() {
  return inLab({ wire: false }, async (lab) => ({
    semaphore: await serve(lab, limited(semaphoreSize)),
    without: await serve(lab, handOff),
  }));
}

const seen = {
  clients: count("clients that connected"),
  most: count("connections that were handled at the same time, at most"),
  peak: count("longest accept queue"),
  room: count("its capacity"),
  drops: count("SYNs and final ACKs dropped (ListenDrops)"),
};

/**
 * Claim 60: what a semaphore before accept() does to the accept queue. The experiment serves 300 clients at 400 per
 * second, with a semaphore of 10 and without. Source: tcp_conn_request().
 * @throws ArgumentError judge(): no client connected
 */
export const semaphorePractice = claim({
  number: 60,
  section: "Part 6",
  statement:
    "A semaphore before accept() limits connections well: best practice together with a bigger backlog, never blocking, and tuning.",
  quote: "sem <- struct{}{}  // Acquire",
  notebook: "09",
  evidence: {
    semaphore: group("the loop that waits for its semaphore", seen),
    without: group("the loop that does not", seen),
  },
  experiment: (once) => once(withSemaphore),
  judge({ semaphore, without }) {
    if (semaphore.clients === 0)
      throw new ArgumentError("No client connected.", "Connect more clients than the semaphore admits.");
    const words = (of: typeof semaphore) =>
      `at most ${of.most} handled at once, accept queue at most ${of.peak} of ${of.room}, ${of.drops} SYNs and final ACKs dropped`;
    const measured = `semaphore: ${words(semaphore)}; without: ${words(without)}`;
    const kernel = "tcp_conn_request()";
    if (semaphore.peak <= without.peak && semaphore.drops <= without.drops)
      return {
        verdict: "holds",
        measured,
        why: "The semaphore limited the handlers, and nothing else changed.",
        kernel,
      };
    return {
      verdict: "depends",
      measured,
      why: "The semaphore limits the connections that are handled. But while the loop waits for it, it does not accept: the queue fills, the kernel drops SYNs, and clients wait for their retransmission timers. To reject clients, accept and close.",
      kernel,
    };
  },
});

async function counting() {
  return inLab({ wire: false }, async (lab) => {
    const listener = await lab.listen({ backlog: 1000 });
    // each has both of its ends in this process
    const clients = await lab.connect(listener, { clients: Math.ceil(clientsWithin(1400) / 2) });
    const before = native.descriptors().open;
    const connections = listener.acceptAll();
    const truth = connections.length;
    // what `netstat -an | grep ESTABLISHED | wc -l` reads
    const table = await lab.host.file("/proc/net/tcp", "r");
    let start = native.now();
    const netstat = native
      .preadText(table)
      .split("\n")
      .filter((line) => line.trim().split(/\s+/)[3] === "01").length;
    const netstatMs = native.now() - start;
    native.close(table);
    start = native.now();
    const diag = lab.sockets({ port: listener.port, states: ["ESTABLISHED"] }).length;
    const diagMs = native.now() - start;
    // what `lsof -p PID` reads
    start = native.now();
    const lsof = readdirSync("/proc/self/fd").length;
    for (const fd of readdirSync("/proc/self/fdinfo").slice(0, lsof))
      safely(() => readFileSync(`/proc/self/fdinfo/${fd}`));
    const lsofMs = native.now() - start;
    await clients.close();
    return { connections: truth, netstat, diag, lsof: lsof - before, netstatMs, diagMs, lsofMs };
  });
}

function safely(action: () => void): void {
  try {
    action();
  } catch {
    // closed meanwhile
  }
}

/**
 * Claim 61: what netstat, ss and lsof count, and how many ms their sources take to read. The experiment reads the same
 * tables itself. Source: tcp4_seq_show().
 * @throws ArgumentError judge(): no connection was accepted
 */
export const countingTools = claim({
  number: 61,
  section: "Part 6",
  statement: "netstat counts active connections, lsof descriptors.",
  quote: "netstat -an | grep ESTABLISHED | wc -l",
  notebook: "09",
  evidence: {
    connections: count("connections that the server had accepted"),
    netstat: count("ESTABLISHED lines of /proc/net/tcp, which netstat reads"),
    diag: count("ESTABLISHED sockets of the listener's port by sock_diag, which ss reads"),
    lsof: count("descriptors more in /proc/PID/fd, which lsof reads"),
    netstatMs: amount("ms that reading took, as netstat does it"),
    diagMs: amount("ms by sock_diag"),
    lsofMs: amount("ms as lsof does it"),
  },
  experiment: (once) => once(counting),
  judge({ connections, netstat, diag, lsof, netstatMs, diagMs, lsofMs }) {
    if (connections === 0) throw new ArgumentError("There was nothing to count.", "Accept some connections.");
    const measured = `${connections} connections: netstat's table shows ${netstat} (${netstatMs.toFixed(1)} ms), sock_diag ${diag} (${diagMs.toFixed(1)} ms), /proc/PID/fd ${lsof} descriptors more (${lsofMs.toFixed(1)} ms)`;
    const kernel = "tcp4_seq_show()";
    if (lsof < connections || netstat < connections)
      return { verdict: "false", measured, why: "They count fewer than there are.", kernel };
    if (netstat !== connections)
      return {
        verdict: "depends",
        measured,
        why: "lsof counts descriptors correctly. netstat counts every ESTABLISHED socket on the machine: both ends of a local connection, connections that wait for accept(), and those of other programs. sock_diag can count one port only.",
        kernel,
      };
    return { verdict: "holds", measured, why: "Both counts are right.", kernel };
  },
});

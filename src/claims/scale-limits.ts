/** Claims 36, 44, 47 and 62: switches, backlogs, descriptors, ten thousand connections. */
import { readFileSync } from "node:fs";
import { ArgumentError, LimitError } from "../errors";
import { native } from "../native";
import { planHolding } from "../server/accept-workers";
import { programFile } from "../server/programs";
import { countOf, formatNumber } from "../wording/number";
import { claim } from "./claim";
import { count, optional } from "./evidence";
import { connectAll } from "./connect-all";
import { inLab } from "./experiment";
import { othersField, requireQuietMachine, watchProcessors } from "./processor-share";

const port = 8080;
const sleeperBacklog = 4096;

function switchesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return [...status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s+(\d+)$/gm)].reduce(
    (sum, [, number]) => sum + Number(number),
    0,
  );
}

async function switchesOfServer() {
  return inLab({}, async (lab) => {
    // it listens and then sleeps, so that each time it is woken can be counted
    const program = await lab.spawn("python3", [
      programFile("sleeping_server.py"),
      String(port),
      String(sleeperBacklog),
    ]);
    await new Promise((resolve) => program.stdout.once("data", resolve).once("end", resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = switchesOf(program.pid);
    const ghosts = await lab.ghosts(port, { count: 4000 });
    const { established } = await ghosts.finished();
    return { handshakes: established, switches: switchesOf(program.pid) - before };
  });
}

/**
 * Claim 36: context switches of a server during 4,000 handshakes. The experiment reads /proc/PID/status of a server
 * that sleeps (proc(5)). Source: tcp_v4_rcv().
 * @throws ArgumentError judge(): fewer than 100 handshakes
 */
export const noSwitches = claim({
  number: 36,
  section: "Part 3",
  statement: "Handshakes need no context switch to the application.",
  quote: "No context switching during handshake",
  notebook: "05",
  evidence: {
    handshakes: count("handshakes that the kernel completed"),
    switches: count("times that the server's process was switched to meanwhile"),
  },
  experiment: (once) => once(switchesOfServer),
  judge({ handshakes, switches }) {
    if (handshakes < 100)
      throw new ArgumentError(`${handshakes} handshakes are too few.`, "Let some hundred complete.");
    const measured = `${countOf(handshakes, "handshake")}, ${countOf(switches, "switch", "switches")} to the server`;
    const kernel = "tcp_v4_rcv()";
    if (switches * 20 < handshakes)
      return {
        verdict: "holds",
        measured,
        why: "The kernel does all of it in softirq context, on top of what the CPU was doing. A server that waits in accept() is woken once per connection, and only by the final ACK.",
        kernel,
      };
    return { verdict: "false", measured, why: "The server was woken during the handshakes.", kernel };
  },
});

const smallBacklog = 64;
/** clients per connection of the backlog: with fewer, the measurement would say nothing about it */
const times = 20;

async function totals() {
  return inLab({ hashBuckets: 16_384 }, async (lab) => {
    const { soft, open: inUse } = native.descriptors();
    const connections = Math.min(12_000, soft - inUse - 500);
    // with few descriptors there are fewer connections, and the backlog is smaller in proportion
    const backlog = Math.min(smallBacklog, Math.floor(connections / times));
    const listener = await lab.listen({ backlog });
    const loop = listener.acceptLoop();
    const others = watchProcessors();
    const held = () => loop.accepted;
    const rounds = await connectAll(lab, listener, { count: connections, rate: 60 * backlog, held });
    const open = lab.sockets({ port: listener.port, states: ["ESTABLISHED"] }).length;
    // of those that came again a few may get in after all
    return { backlog, clients: Math.max(connections, open), open, rounds: rounds.length, others: others() };
  });
}

/**
 * Claim 44: how many connections are open at once over a listener with a small backlog. The experiment connects up to
 * 12,000, one after the other. Source: sk_acceptq_is_full().
 * @throws ArgumentError judge(): fewer than 20 clients for each place of the backlog
 */
export const backlogAndTotals = claim({
  number: 44,
  section: "Part 4",
  statement: "10,000 and more connections need a larger backlog.",
  quote: "For production with 10,000+ concurrent connections",
  notebook: "05",
  evidence: {
    backlog: count("the argument of listen(2)"),
    clients: count("clients that connected, one after the other"),
    open: count("connections open at the same time in the end"),
    rounds: optional(count("rounds in which they came: those that met a full queue came again")),
    others: othersField,
  },
  experiment: (once) => once(totals),
  judge({ backlog, clients, open, rounds = 1, others }) {
    if (clients < times * backlog)
      throw new ArgumentError("That is not many more than the backlog.", "Connect more clients.");
    const again = rounds > 1 ? ` (in ${rounds} rounds: clients that met a full queue came again)` : "";
    const measured = `backlog ${backlog}: ${formatNumber(open)} of ${formatNumber(clients)} connections are open at once${again}`;
    const kernel = "sk_acceptq_is_full()";
    if (open >= 0.99 * clients)
      return {
        verdict: "false",
        measured,
        why: "The backlog limits only the connections that wait for accept(). It must fit how many clients connect at the same moment, not how many connections are open.",
        kernel,
      };
    requireQuietMachine(others, measured, kernel);
    return { verdict: "holds", measured, why: "With the small backlog not all clients got a connection.", kernel };
  },
});

/** connections that can stand for ten thousand */
const fewest = 5000;

/** A process may have fewer than ten thousand descriptors, so worker processes hold the connections. */
async function manyHeld() {
  return inLab({ hashBuckets: 16_384 }, async (lab) => {
    const { connections, because } = planHolding(12_000);
    if (connections < fewest)
      throw new LimitError(
        `This machine can hold ${formatNumber(connections)} connections, which cannot show ten thousand.`,
        because,
      );
    const listener = await lab.listen({ backlog: 4096 });
    const workers = await lab.hold(listener, { connections });
    const others = watchProcessors();
    const held = () => workers.accepted;
    const rounds = await connectAll(lab, listener, { count: connections, rate: 20_000, held });
    const open = lab.sockets({ port: listener.port, states: ["ESTABLISHED"] }).length;
    // the ghosts end first, so that no end waits for a FIN
    for (const ghosts of rounds) await ghosts.reset();
    return { clients: Math.max(connections, open), open, others: others() };
  });
}

/**
 * Claim 62: whether one listener serves ten thousand connections. The experiment holds up to 12,000 in worker
 * processes. Source: inet_csk_accept().
 * @throws ArgumentError judge(): fewer than 5,000 clients
 */
export const tenThousand = claim({
  number: 62,
  section: "Part 6",
  statement: "One listener handles 10,000 and more connections easily.",
  quote: "Handles 10,000+ connections easily",
  notebook: "08",
  evidence: {
    clients: count("clients that connected"),
    open: count("connections open at the same time"),
    others: othersField,
  },
  experiment: (once) => once(manyHeld),
  judge({ clients, open, others }) {
    if (clients < fewest)
      throw new ArgumentError(
        `${formatNumber(clients)} clients cannot show ten thousand.`,
        "Connect more: other processes can hold them (lab.hold).",
      );
    const measured = `${formatNumber(open)} of ${formatNumber(clients)} connections open over one listener`;
    const kernel = "inet_csk_accept()";
    if (open >= 0.99 * clients)
      return {
        verdict: "holds",
        measured,
        why: "An idle connection uses a few kilobytes of memory and no CPU time.",
        kernel,
      };
    requireQuietMachine(others, measured, kernel);
    return { verdict: "false", measured, why: "Some connections are missing.", kernel };
  },
});

/** "Max open files  1024  524288  files". */
function openFiles(pid: number | "self"): { soft: number; hard: number } | undefined {
  try {
    const [, soft, hard] = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8")) ?? [];
    return soft === undefined ? undefined : { soft: Number(soft), hard: Number(hard) };
  } catch {
    return undefined;
  }
}

async function limits() {
  const own = openFiles("self") ?? native.descriptors();
  const first = openFiles(1);
  const here = {
    softHere: own.soft,
    hardHere: own.hard,
    ...(first && { softOfFirst: first.soft, hardOfFirst: first.hard }),
  };
  return inLab({ wire: false }, async (lab) => {
    // any process may raise a soft limit up to its hard limit, and not beyond
    const raised = (
      await (await lab.spawn("sh", ["-c", "ulimit -Sn 64; ulimit -Sn 256 && ulimit -Sn"])).output()
    ).stdout.trim();
    const beyond = await (
      await lab.spawn("sh", ["-c", "ulimit -n 256; ulimit -Hn 512"], { limits: { nofile: 256 } })
    ).output();
    return { ...here, raised: Number(raised) || 0, beyondAllowed: Number(beyond.code === 0) };
  });
}

/**
 * Claim 47: the limits of descriptors here and of process 1, and whether a shell can raise them. Sources of the
 * numbers: /proc/PID/limits, ulimit. Source: do_prlimit(), getrlimit(2).
 */
export const defaultDescriptors = claim({
  number: 47,
  section: "Part 4",
  statement: "ulimit -n is 1024 by default, too low, and is raised by ulimit or limits.conf.",
  quote: "Default: 1024 (too low for production!)",
  notebook: "06",
  evidence: {
    softHere: count("soft limit of this process"),
    hardHere: count("hard limit of this process"),
    softOfFirst: optional(count("soft limit of the machine's first process")),
    hardOfFirst: optional(count("hard limit of it")),
    raised: count("what `ulimit -Sn 256` reached, started from 64"),
    beyondAllowed: count("1 if a shell could raise its hard limit"),
  },
  experiment: (once) => once(limits),
  judge({ softHere, hardHere, softOfFirst, hardOfFirst, raised, beyondAllowed }) {
    const first =
      softOfFirst === undefined
        ? ""
        : `; the machine's first process: soft ${formatNumber(softOfFirst)}, hard ${formatNumber(hardOfFirst ?? 0)}`;
    const measured = `here: soft ${formatNumber(softHere)}, hard ${formatNumber(hardHere)}${first}; a shell raises its soft limit ${raised === 256 ? "freely" : "not"}, its hard limit ${beyondAllowed ? "as root" : "not"}`;
    const kernel = "do_prlimit()";
    const isDefault = softOfFirst === 1024 || softHere === 1024;
    const why =
      "The soft limit is what counts. Any process may raise it up to its hard limit; node does so when it starts. limits.conf applies to logins, not to services, which systemd starts.";
    if (raised !== 256) return { verdict: "false", measured, why: "The soft limit could not be raised.", kernel };
    return {
      verdict: isDefault ? "holds" : "depends",
      measured,
      why: isDefault ? why : `1024 is the kernel's own default, but not the value on this machine. ${why}`,
      kernel,
    };
  },
});

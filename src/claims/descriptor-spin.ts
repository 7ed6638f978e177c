/** Claim 63: an accept loop that goes on after any error. */
import { once as nextEvent } from "node:events";
import { createInterface } from "node:readline";
import { ArgumentError } from "../errors";
import { epollServer, type EpollServerReport } from "../server/epoll-server";
import { formatNumber } from "../wording/number";
import { claim, UndecidedError } from "./claim";
import { amount, count } from "./evidence";
import { inLab } from "./experiment";
import { msUntil } from "../waiting/until";

const port = 8080;
const descriptorLimit = 40;
const watched = 1000;

/** turns per second that accept nothing: a loop that waits for something takes some tens, one that spins takes thousands */
const fewTurns = 100;
const manyTurns = 1000;

/** The text's loop, `if err != nil { continue }`, over a level-triggered epoll, and twice as many clients as it has descriptors. */
async function spin() {
  return inLab({ wire: false }, async (lab) => {
    const program = await lab.spawn("python3", ["-c", epollServer(port, { onEmfile: "pass" })], {
      limits: { nofile: descriptorLimit },
    });
    let last: EpollServerReport = { seconds: 0, held: 0, ended: 0, failed: 0, wakeups: 0, cpu: 0 };
    const lines = createInterface({ input: program.stdout }).on("line", (line) => {
      if (line.startsWith("{")) last = JSON.parse(line) as EpollServerReport;
    });
    await Promise.race([nextEvent(lines, "line"), program.exited]);
    const clients = await lab.connect(port, { clients: 2 * descriptorLimit, quiet: 100 });
    await msUntil(() => last.failed > 0, 3000);
    const first = last;
    await msUntil(() => 1000 * (last.seconds - first.seconds) >= watched, 3 * watched);
    await clients.close();
    await program.close();
    const seconds = last.seconds - first.seconds;
    return {
      clients: 2 * descriptorLimit,
      limit: descriptorLimit,
      accepted: last.held,
      wakeupsPerSecond: (last.wakeups - first.wakeups) / seconds,
      cpu: (last.cpu - first.cpu) / seconds,
    };
  });
}

/**
 * Claim 63: what an accept loop costs that tries again at once after EMFILE. The experiment runs a Python server with
 * 40 descriptors and 80 clients for about 1 s. Source: alloc_fd(), inet_csk_listen_poll().
 * @throws ArgumentError judge(): the server has not run out of descriptors
 */
export const retryOnAnyError = claim({
  number: 63,
  section: "Part 6",
  statement: "When accept() fails, trying again at once is fine.",
  quote: "if err != nil { continue }",
  notebook: "06",
  evidence: {
    clients: count("clients that connected"),
    limit: count("descriptors that the server may have"),
    accepted: count("connections that it accepted"),
    wakeupsPerSecond: amount("turns of its loop per second that accepted nothing"),
    cpu: amount("share of a core that this took, 1 is all of it"),
  },
  experiment: (once) => once(spin),
  judge({ clients, limit, accepted, wakeupsPerSecond, cpu }) {
    if (clients <= accepted)
      throw new ArgumentError(
        "The server has not run out of descriptors.",
        "Connect more clients, or lower the limit.",
      );
    const measured = `${limit} descriptors, ${accepted} of ${clients} accepted; then ${formatNumber(Math.round(wakeupsPerSecond))} turns of the loop per second, ${(100 * cpu).toFixed(0)} % of a core`;
    const kernel = "alloc_fd()";
    // on a busy machine the same loop gets less CPU time: what it does in vain is counted in turns
    if (cpu > 0.5 || wakeupsPerSecond >= manyTurns)
      return {
        verdict: "false",
        measured,
        why: "EMFILE does not go away by trying again. accept4() allocates the descriptor first and never reaches the accept queue. The connection stays there, and epoll, which looks only at the queue (inet_csk_listen_poll()), reports it again at once. Pause, free a descriptor, or shed load.",
        kernel,
      };
    if (wakeupsPerSecond > fewTurns)
      throw new UndecidedError(
        measured,
        `A loop that waits takes fewer than ${fewTurns} turns per second in vain, and one that spins takes more than ${formatNumber(manyTurns)}. This one was held up, because the machine is busy.`,
        kernel,
      );
    return {
      verdict: "holds",
      measured,
      why: `The loop used at most half of a core and took no more than ${fewTurns} turns per second in vain.`,
      kernel,
    };
  },
});

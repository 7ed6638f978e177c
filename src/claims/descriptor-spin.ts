/** Claim 63: an accept loop that goes on after any error. */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { ArgumentError } from "../errors";
import { epollServer, type EpollServerReport } from "../server/epoll-server";
import { formatNumber } from "../wording/number";
import { claim } from "./claim";
import { amount, count } from "./evidence";
import { inLab } from "./experiment";
import { msUntil } from "../waiting/until";

const port = 8080;
const limit = 40;
const watched = 1000;

/** The text's loop, `if err != nil { continue }`, over a level-triggered epoll, and twice as many clients as it has descriptors. */
async function spin() {
  return inLab({ wire: false }, async (lab) => {
    const program = await lab.spawn("python3", ["-c", epollServer(port, { onEmfile: "pass" })], {
      limits: { nofile: limit },
    });
    const reports: EpollServerReport[] = [];
    const lines = createInterface({ input: program.stdout }).on(
      "line",
      (line) => line.startsWith("{") && reports.push(JSON.parse(line)),
    );
    await Promise.race([once(lines, "line"), program.exited]);
    const clients = await lab.connect(port, { clients: 2 * limit, quiet: 100 });
    await msUntil(() => reports[reports.length - 1]?.failed > 0, 3000);
    const start = reports.length - 1;
    await msUntil(() => 1000 * (reports[reports.length - 1].seconds - reports[start].seconds) >= watched, 3 * watched);
    const [first, last] = [reports[start], reports[reports.length - 1]];
    await clients.close();
    await program.close();
    const seconds = last.seconds - first.seconds;
    return {
      clients: 2 * limit,
      limit,
      accepted: last.held,
      wakeupsPerSecond: (last.wakeups - first.wakeups) / seconds,
      cpu: (last.cpu - first.cpu) / seconds,
    };
  });
}

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
    wakeupsPerSecond: amount("times a second that its loop turned without getting anywhere"),
    cpu: amount("share of a core that this took, 1 is all of it"),
  },
  experiment: (once) => once(spin),
  judge({ clients, limit, accepted, wakeupsPerSecond, cpu }) {
    if (clients <= accepted)
      throw new ArgumentError(
        "The server has not run out of descriptors.",
        "Let more clients come, or lower its limit.",
      );
    const measured = `${limit} descriptors, ${accepted} of ${clients} accepted; then ${formatNumber(Math.round(wakeupsPerSecond))} turns a second, ${(100 * cpu).toFixed(0)} % of a core`;
    const kernel = "alloc_fd()";
    if (cpu > 0.5)
      return {
        verdict: "false",
        measured,
        why: "EMFILE does not go away by asking again: accept4() takes its number first and never comes as far as the queue. The connection stays there, and epoll, which looks at nothing but the queue (inet_csk_listen_poll), reports it at once. Pause, free a descriptor, or shed the load.",
        kernel,
      };
    return { verdict: "holds", measured, why: "It cost next to nothing.", kernel };
  },
});

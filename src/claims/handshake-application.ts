/** Claims 32 and 35: how long a handshake takes, and that it does not need the application. */
import { ArgumentError } from "../errors";
import { native } from "../native";
import { claim, UndecidedError } from "./claim";
import { amount, count, optional } from "./evidence";
import { inLab } from "./experiment";
import { median } from "./median";
import { othersField, requireQuietMachine, watchProcessors } from "./processor-share";
import { countOf } from "../wording/number";

const wireRtt = 40;
const rounds = 25;

async function handshakeTimes() {
  return inLab({}, async (lab) => {
    const listener = await lab.listen({ backlog: 2 * rounds });
    const others = watchProcessors();
    const near = await lab.connect(listener, { clients: rounds, rate: 1000 });
    const far = await lab.connect(listener, { clients: rounds, rate: 1000, kind: "mirror", rtt: wireRtt });
    await far.settled({ timeout: 2000 });
    return { loopback: median(near.connected()), rtt: wireRtt, overWire: median(far.connected()), others: others() };
  });
}

/**
 * Claim 32: ms that a handshake takes for the client. The experiment takes the median of 25 over loopback, and of 25
 * over a wire with RTT 40 ms. Source: tcp_rcv_synsent_state_process().
 */
export const handshakeDuration = claim({
  number: 32,
  section: "Part 3",
  statement: "A handshake takes 1 to 10 ms in all.",
  quote: "~1-10 milliseconds",
  notebook: "02",
  evidence: {
    loopback: amount("ms that connect() took over loopback, median"),
    rtt: amount("round-trip time of the wire, ms"),
    overWire: amount("ms that connect() took over the wire, median"),
    others: othersField,
  },
  experiment: (once) => once(handshakeTimes),
  judge({ loopback, rtt, overWire, others }) {
    const measured = `over loopback ${(loopback * 1000).toFixed(0)} µs, over a wire with RTT ${rtt} ms ${overWire.toFixed(1)} ms`;
    const kernel = "tcp_rcv_synsent_state_process()";
    const inside = [loopback, overWire].filter((ms) => ms >= 1 && ms <= 10).length;
    // over loopback nothing takes a millisecond but waiting for a CPU
    if (inside > 0) requireQuietMachine(others, measured, kernel);
    if (inside === 2) return { verdict: "holds", measured, why: "Both times are within the range.", kernel };
    return {
      verdict: inside === 1 ? "depends" : "false",
      measured,
      why: "For the client, a handshake takes one round-trip time plus a few microseconds in the kernel. The server stores the request for about as long.",
      kernel,
    };
  },
});

const crowd = 2000;
/** ms within which the ghosts' threads get a CPU, however busy the machine is */
const patience = 5000;

async function withoutApplication() {
  return inLab({}, async (lab) => {
    const listener = await lab.listen({ backlog: crowd });
    const ghosts = await lab.ghosts(listener, { count: crowd });
    // JavaScript, the only application here, does nothing but look at the length of the queue: it accepts nothing, and gives nobody
    // else a turn in this thread. The ghosts' own threads may have to wait for a CPU.
    const end = native.now() + patience;
    while (listener.acceptQueue < crowd && native.now() < end) {
      const pause = native.now() + 10;
      while (native.now() < pause);
    }
    const completed = listener.acceptQueue;
    const { established } = ghosts.counts();
    await ghosts.finished();
    return { handshakes: crowd, completed, acceptCalls: 0, acknowledged: established };
  });
}

/**
 * Claim 35: whether handshakes complete while the application does nothing. The experiment starts 2,000 and blocks
 * JavaScript for 150 ms. Source: tcp_v4_rcv().
 * @throws ArgumentError judge(): fewer than two handshakes
 */
export const withoutTheApplication = claim({
  number: 35,
  section: "Part 3",
  statement: "The kernel completes handshakes in parallel, without the application.",
  quote: "Kernel handles handshakes in parallel",
  notebook: "02",
  evidence: {
    handshakes: count("clients that began a handshake"),
    completed: count("connections in the accept queue while the application did nothing"),
    acceptCalls: count("calls of accept() until then"),
    acknowledged: optional(count("clients that had sent their final ACK by then")),
  },
  experiment: (once) => once(withoutApplication),
  judge({ handshakes, completed, acceptCalls, acknowledged }) {
    if (handshakes < 2)
      throw new ArgumentError("One handshake is not in parallel with another one.", "Let more begin.");
    const measured = `${completed} of ${countOf(handshakes, "handshake")} complete after ${acceptCalls} calls of accept()`;
    const kernel = "tcp_v4_rcv()";
    if (completed < handshakes && acceptCalls === 0 && acknowledged !== undefined && acknowledged < handshakes)
      throw new UndecidedError(
        `${measured}; ${countOf(acknowledged, "client")} had sent the final ACK`,
        "The clients' own threads did not get far enough, because the machine is busy. Measure again when it is quiet.",
        kernel,
      );
    if (completed < handshakes || acceptCalls > 0)
      return { verdict: "false", measured, why: "Some handshakes needed the application.", kernel };
    return {
      verdict: "holds",
      measured,
      why: "The kernel handles segments in softirq context, on the CPU where they arrive, whatever the application is doing.",
      kernel,
    };
  },
});

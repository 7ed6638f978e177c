/** Claims 49 to 51: thousands of clients that connect at once, and what a longer backlog changes. */
import { ArgumentError } from "../errors";
import { formatNumber } from "../wording/number";
import { burst, lost, outcomeFields } from "./burst";
import { claim } from "./claim";
import { group } from "./evidence";
import { clientsWithin, inLab } from "./experiment";
import { kernelFunction } from "./kernel-function";
import { withCookies } from "./cookies-setting";

const backlog = 128;
const spikeClients = 5000;
const textSeconds = 5;

async function spikes() {
  // 4096 is what a new Lab has for somaxconn
  return inLab({ wire: false }, async (lab) => ({
    small: await burst(lab, { clients: clientsWithin(spikeClients), backlog, rate: 1000, seconds: textSeconds }),
    // it ends when all are accepted; more time than the text's, so that a slow machine can end it, too
    large: await burst(lab, { clients: clientsWithin(spikeClients), backlog: 4096, rate: 0, seconds: 4 * textSeconds }),
  }));
}

/**
 * Claim 49: where 5,000 clients wait that connect at once to a backlog of 128. The experiment is burst(). Source:
 * tcp_conn_request().
 * @throws ArgumentError judge(): the clients fit into the accept queue
 */
export const spikeWaits = claim({
  number: 49,
  section: "Part 5",
  statement: "5,000 clients at once with a backlog of 128: 4,872 of them wait in the SYN queue.",
  quote: "Remaining 4,872 → Wait in SYN Queue",
  notebook: "05",
  evidence: { small: group("the spike", outcomeFields) },
  experiment: (once) => once(spikes),
  judge({ small }) {
    if (small.clients <= small.backlog + 1)
      throw new ArgumentError("All clients of this spike fit into the accept queue.", "Connect more clients.");
    const measured = `of ${formatNumber(small.clients)}: ${small.acceptQueue} in the accept queue, ${small.synQueue} in the SYN queue, ${formatNumber(small.outside)} in neither${withCookies(small.cookies)}`;
    const kernel = "tcp_conn_request()";
    if (small.outside <= small.clients / 100)
      return { verdict: "holds", measured, why: "All clients were in one of the two queues.", kernel };
    return {
      verdict: "false",
      measured,
      why: "The kernel stores nothing for them: while the accept queue is full, it drops every SYN.",
      kernel,
    };
  },
});

/**
 * Claim 50: how many of 5,000 clients a loop with 1,000 accepts per second has accepted after 5 s. The experiment is
 * that of claim 49. Source: tcp_retransmit_timer().
 * @throws ArgumentError judge(): the measurement was shorter than the clients need at this rate
 */
export const spikeDrained = claim({
  number: 50,
  section: "Part 5",
  statement: "1,000 accepts per second empty the queue after a spike of 5,000 in 5 s, and no client is lost.",
  quote: "All 5,000 connections accepted",
  notebook: "05",
  evidence: { small: group("the spike", outcomeFields) },
  experiment: (once) => once(spikes),
  judge({ small }) {
    const { clients, rate, seconds, accepted, resends, ...rest } = small;
    if (rate === 0 || (seconds < (0.9 * clients) / rate && rest.trying > 0))
      throw new ArgumentError(
        "The measurement was too short to decide.",
        `At ${rate} accepts per second ${formatNumber(clients)} clients take ${clients / rate} s.`,
      );
    const measured = `at ${formatNumber(rate)} accepts per second ${formatNumber(accepted)} of ${formatNumber(clients)} clients were accepted after ${seconds.toFixed(1)} s; ${lost(rest)}; ${formatNumber(resends)} SYNs retransmitted`;
    const kernel = "tcp_retransmit_timer()";
    if (accepted === clients)
      return { verdict: "holds", measured, why: "The application accepted all clients in time.", kernel };
    return {
      verdict: "false",
      measured,
      why: "The loop is fast enough but idle, because the clients wait for their retransmission timers. Each round of retransmissions fills the queue once, and the intervals grow. With SYN cookies, some clients become phantoms.",
      kernel,
    };
  },
});

/**
 * Claim 51: the same 5,000 clients with a backlog of 4096 and a loop as fast as it can. The experiment is that of claim
 * 49. Source: __sys_listen_socket().
 */
export const backlogSolves = claim({
  number: 51,
  section: "Part 5",
  statement: "A backlog of 4096 and a fast accept loop solve the spike of 5,000.",
  quote: "err = listenSocket(fd, 4096)",
  notebook: "05",
  evidence: {
    large: group("the spike with a large backlog and a loop as fast as it can", outcomeFields),
    small: group("the spike with a small one", outcomeFields),
  },
  experiment: (once) => once(spikes),
  judge({ large, small }) {
    const measured = `backlog ${large.backlog}: ${formatNumber(large.accepted)} of ${formatNumber(large.clients)} in ${large.seconds.toFixed(2)} s, ${formatNumber(large.outside)} met a full queue; backlog ${small.backlog}: ${formatNumber(small.accepted)} in ${small.seconds.toFixed(2)} s${withCookies(small.cookies)}`;
    const kernel = kernelFunction("listenCut");
    if (large.accepted <= small.accepted)
      return { verdict: "false", measured, why: "The longer backlog was no better.", kernel };
    if (large.accepted === large.clients) {
      return {
        verdict: "holds",
        measured,
        why:
          large.outside > 0
            ? "min(4096, somaxconn) + 1 connections fit at once. But the other clients connect only at their first retransmission, about 1 s later."
            : "All connections fitted into the accept queue at once.",
        kernel,
      };
    }
    return {
      verdict: "depends",
      measured,
      why: "The longer backlog was better but not enough: somaxconn may have limited it.",
      kernel,
    };
  },
});

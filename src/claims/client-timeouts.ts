/** Claims 42 and 52: how long a client tries that meets a full queue, and how it ends. */
import { ArgumentError } from "../errors";
import type { Lab } from "../front-door";
import { native } from "../native";
import { claim } from "./claim";
import { amount, count, text } from "./evidence";
import { inLab } from "./experiment";
import { many } from "./wording";

const first = 1000;
const longest = 120_000;

/**
 * ms from a SYN until its sender gives up: waits of a second, `linear` times, then doubled each time, up to two minutes. Source:
 * tcp_retransmit_timer(), tcp_write_timeout(); sysctls tcp_syn_retries and tcp_syn_linear_timeouts.
 */
export function givesUpAfter(retries: number, linear: number): number {
  let wait = first;
  let total = 0;
  for (let resend = 0; resend <= retries + linear; resend++) {
    total += wait;
    if (resend >= linear) wait = Math.min(2 * wait, longest);
  }
  return total;
}

const retries = 1;
const linear = 1;

/** Four clients of a server that never accepts, patient for some seconds only. */
async function impatientClients() {
  return inLab({ wire: false }, async (lab) => {
    const usual = { retries: await lab.sysctl.get("net.ipv4.tcp_syn_retries"), linear: await linearTimeouts(lab) };
    await lab.sysctl.set({ "net.ipv4.tcp_syn_retries": retries, ...(usual.linear > 0 && { "net.ipv4.tcp_syn_linear_timeouts": linear }) });
    const listener = await lab.listen({ backlog: 0 });
    await lab.connect(listener);
    const clients = 4;
    const crowd = await lab.connect(listener, { clients, quiet: 50 });
    const start = native.now();
    await crowd.settled({ timeout: 20_000 });
    const gaveUp = (native.now() - start) / 1000;
    const counts = crowd.counts();
    return {
      clients,
      timedOut: counts.timedOut,
      reset: counts.reset + counts.refused,
      error: crowd.at(0).error,
      gaveUp,
      reckoned: givesUpAfter(retries, usual.linear > 0 ? linear : 0) / 1000,
      reckonedByDefault: givesUpAfter(usual.retries, usual.linear) / 1000,
    };
  });
}

async function linearTimeouts(lab: Lab): Promise<number> {
  try {
    return await lab.sysctl.get("net.ipv4.tcp_syn_linear_timeouts");
  } catch {
    return 0; // before Linux 6.5
  }
}

const evidence = {
  clients: count("clients that met a full accept queue"),
  timedOut: count("clients that ended by their own timer"),
  reset: count("clients that were refused or reset"),
  error: text("how connect() ended for them"),
  gaveUp: amount("seconds after which they gave up, with the settings of the experiment"),
  reckoned: amount("seconds that those settings say"),
  reckonedByDefault: amount("seconds that a fresh Lab's settings say"),
};

export const fullQueueTimesOut = claim({
  number: 42,
  section: "Part 4",
  statement: "When the accept queue is full, connections time out.",
  quote: "Accept Queue fills up → connections timeout",
  notebook: "05",
  evidence,
  experiment: (once) => once(impatientClients),
  judge({ clients, timedOut, error, gaveUp, reckoned, reckonedByDefault }) {
    if (clients === 0) throw new ArgumentError("Nobody met a full queue.", "Fill it, and let another client come.");
    const measured = `${timedOut} of ${many(clients, "client")} ended with ${error || "nothing"} after ${gaveUp.toFixed(1)} s (reckoned: ${reckoned.toFixed(0)} s); by default it would be ${reckonedByDefault.toFixed(0)} s`;
    const kernel = "tcp_write_timeout()";
    if (timedOut === clients) return { verdict: "holds", measured, why: "Their SYNs are dropped, and they stop asking in the end. Whoever is in the queue already waits without limit.", kernel };
    return { verdict: timedOut > 0 ? "depends" : "false", measured, why: "Not all of them did.", kernel };
  },
});

export const resetAfter75 = claim({
  number: 52,
  section: "Part 5",
  statement: "One accept() a second and 1,000 clients: after 75 s, TCP's default timeout, connections expire and get RST.",
  quote: "TCP timeout (default 75s)",
  notebook: "05",
  evidence,
  experiment: (once) => once(impatientClients),
  judge({ clients, timedOut, reset, error, gaveUp, reckoned, reckonedByDefault }) {
    if (clients === 0 || gaveUp === 0) throw new ArgumentError("Nobody has timed out.", "Let clients meet a full queue until they give up.");
    const measured = `given up by the client's own timer after ${gaveUp.toFixed(1)} s where ${reckoned.toFixed(0)} s were reckoned; with default settings after ${reckonedByDefault.toFixed(0)} s; ${timedOut} of ${clients} ended with ${error || "nothing"}, ${reset} by RST`;
    const kernel = "tcp_write_timeout()";
    const fits = Math.abs(gaveUp - reckoned) < 0.25 * reckoned + 0.5;
    if (reset > 0 && Math.abs(reckonedByDefault - 75) < 10) return { verdict: "holds", measured, why: "As the text says.", kernel };
    return { verdict: "false", measured, why: `75 s is another system's number. ${fits ? "tcp_syn_retries and tcp_syn_linear_timeouts decide, " : ""}the client ends it alone, and the server, which has kept nothing, sends no RST.`, kernel };
  },
});

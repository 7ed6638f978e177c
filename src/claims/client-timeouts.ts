/** Claim 42: when a client of a full accept queue times out. And hasten(), which shortens this time for other claims. */
import { ArgumentError } from "../errors";
import type { Lab } from "../front-door";
import { native } from "../native";
import { claim } from "./claim";
import { amount, count, optional, text } from "./evidence";
import { inLab } from "./experiment";
import { countOf } from "../wording/number";
import { withCookies } from "./cookies-setting";

const first = 1000;
const longest = 120_000;

/**
 * ms from a SYN until its sender times out: at the first timer at which `retries` + `linear` resends have been made, or 2^(retries + 1) - 1 s
 * have gone by. The first `linear` + 1 resends come a second apart, then the intervals double, up to two minutes (tcp_rto_max_ms).
 * @param retries net.ipv4.tcp_syn_retries
 * @param linear net.ipv4.tcp_syn_linear_timeouts, 0 before Linux 6.5
 * Source: tcp_retransmit_timer(), tcp_write_timeout(), retransmits_timed_out()
 */
export function givesUpAfter(retries: number, linear: number): number {
  const end = first * (2 ** (retries + 1) - 1);
  let wait = first;
  let total = 0;
  for (let resent = 0; ; resent++) {
    total += wait;
    if (resent >= retries + linear || total >= end) return total;
    if (resent >= linear) wait = Math.min(2 * wait, longest);
  }
}

/** The clients' timeout, before and after hasten(). */
export interface Haste {
  /** seconds after which a client times out in this Lab now */
  patience: number;
  /** seconds after which a client times out by default */
  usualPatience: number;
}

/**
 * Shortens the timeouts of clients and of half-open requests in a Lab as far as sysctls can: one retransmission each, 3 s in total. The
 * first interval stays 1 s, because no sysctl makes it shorter. Sets tcp_syn_retries, tcp_synack_retries and tcp_syn_linear_timeouts.
 * @throws LabError a sysctl cannot be set
 */
export async function hasten(lab: Lab): Promise<Haste> {
  const usual = { retries: await lab.sysctl.get("net.ipv4.tcp_syn_retries"), linear: await linearTimeouts(lab) };
  await lab.sysctl.set({
    "net.ipv4.tcp_syn_retries": 1,
    "net.ipv4.tcp_synack_retries": 1,
    ...(usual.linear > 0 && { "net.ipv4.tcp_syn_linear_timeouts": 0 }),
  });
  return { patience: givesUpAfter(1, 0) / 1000, usualPatience: givesUpAfter(usual.retries, usual.linear) / 1000 };
}

const retries = 1;
const linear = 1;

/** Four clients of a server that never accepts, with a timeout of some seconds. */
async function impatientClients() {
  return inLab({ wire: false }, async (lab) => {
    const usual = { retries: await lab.sysctl.get("net.ipv4.tcp_syn_retries"), linear: await linearTimeouts(lab) };
    await lab.sysctl.set({
      "net.ipv4.tcp_syn_retries": retries,
      ...(usual.linear > 0 && { "net.ipv4.tcp_syn_linear_timeouts": linear }),
    });
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
      cookies: await lab.sysctl.get("net.ipv4.tcp_syncookies"),
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
  timedOut: count("clients that timed out"),
  reset: count("clients that were refused or reset"),
  error: text("how connect() ended for them"),
  gaveUp: amount("seconds after which they timed out, with the settings of the experiment"),
  reckoned: amount("seconds computed from these settings"),
  reckonedByDefault: amount("seconds computed from the settings of a new Lab"),
  cookies: optional(count("net.ipv4.tcp_syncookies")),
};

/**
 * Claim 42: whether clients of a full accept queue time out. The experiment shortens the clients' timeout to some
 * seconds, and computes with givesUpAfter() what the default settings give. Source: tcp_write_timeout().
 * @throws ArgumentError judge(): no client met a full queue
 */
export const fullQueueTimesOut = claim({
  number: 42,
  section: "Part 4",
  statement: "When the accept queue is full, connections time out.",
  quote: "Accept Queue fills up → connections timeout",
  notebook: "05",
  evidence,
  experiment: (once) => once(impatientClients),
  judge({ clients, timedOut, error, gaveUp, reckoned, reckonedByDefault, cookies }) {
    if (clients === 0)
      throw new ArgumentError("No client met a full queue.", "Fill the accept queue, then connect another client.");
    const measured = `${timedOut} of ${countOf(clients, "client")} ended with ${error || "nothing"} after ${gaveUp.toFixed(1)} s (computed: ${reckoned.toFixed(0)} s); with default settings ${reckonedByDefault.toFixed(0)} s${withCookies(cookies)}`;
    const kernel = "tcp_write_timeout()";
    if (timedOut === clients)
      return {
        verdict: "holds",
        measured,
        why: "The kernel drops their SYNs, and connect() finally fails with ETIMEDOUT. A connection that is already in the queue waits without limit.",
        kernel,
      };
    return { verdict: timedOut > 0 ? "depends" : "false", measured, why: "Not all of the clients timed out.", kernel };
  },
});

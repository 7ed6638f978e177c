/** Claims 37 and 56: the memory that a SYN flood costs the kernel. */
import { ArgumentError } from "../errors";
import type { Lab } from "../front-door";
import { kernelMemory } from "../lab/memory";
import { countOf, formatNumber } from "../wording/number";
import { claim, UndecidedError } from "./claim";
import { amount, count, group, optional } from "./evidence";
import { inLab } from "./experiment";
import { othersField, watchProcessors } from "./processor-share";
import type { Ghosts } from "../wire/ghosts";

const requests = 50_000;
/** bytes: a request_sock needs some 300; less than this is what other programs allocate meanwhile */
const fewBytes = 100;

/** What a flood costs the kernel. */
export interface FloodCost {
  /** SYNs of the flood */
  syns: number;
  /** SyncookiesSent */
  cookiesSent: number;
  /** requests in the SYN queue after it */
  entries: number;
  /** bytes by which the kernel's slab memory grew */
  bytes: number;
}

/**
 * Sends 50,000 SYNs to listeners whose SYN queues hold all of them, and measures the requests that the kernel stores and the memory for
 * them (Slab in /proc/meminfo). One listener is enough where somaxconn can be set; otherwise each holds as many as somaxconn says. Sets
 * somaxconn, if the kernel lets a Lab do it, and tcp_syncookies.
 * @throws LabError a sysctl cannot be set, or the flood cannot be sent
 */
export async function floodCost(lab: Lab, { cookies }: { cookies: number }): Promise<FloodCost> {
  await lab.sysctl.trySet({ "net.core.somaxconn": 2 * requests });
  await lab.sysctl.set({ "net.ipv4.tcp_syncookies": cookies });
  const listeners = [await lab.listen({ backlog: 2 * requests })];
  const room = listeners[0]?.acceptMax ?? requests;
  while (listeners.length * room < requests) listeners.push(await lab.listen({ backlog: 2 * requests }));
  const counters = lab.counters();
  const before = kernelMemory().slab;
  const floods: Ghosts[] = [];
  for (const [at, listener] of listeners.entries()) {
    const flood = await lab.flood(listener, { count: Math.min(room, requests - at * room) });
    await flood.finished();
    floods.push(flood);
  }
  const bytes = Math.max(0, kernelMemory().slab - before);
  const cost = {
    syns: requests,
    cookiesSent: lab.counters().since(counters).get("SyncookiesSent"),
    entries: listeners.reduce((sum, listener) => sum + listener.synQueue, 0),
    bytes,
  };
  for (const flood of floods) await flood.reset();
  for (const flood of floods) await flood.close();
  for (const listener of listeners) await listener.close();
  return cost;
}

/** how often a flood is weighed at most: other programs allocate and free memory meanwhile */
const weighings = 3;

/** The flood whose bytes are the median. */
async function cookiesWeighed(lab: Lab): Promise<FloodCost> {
  const first = await floodCost(lab, { cookies: 2 });
  const costs = [first];
  // so much memory for a SYN that is not stored needs a second look
  while (costs.length < weighings && costs.some(({ bytes, syns }) => bytes / syns >= fewBytes / 4))
    costs.push(await floodCost(lab, { cookies: 2 }));
  const sorted = costs.sort((a, b) => a.bytes - b.bytes);
  return sorted[sorted.length >> 1] ?? first;
}

/** The same SYNs once answered with cookies, once stored. */
async function memoryOfFlood() {
  return inLab({ hashBuckets: 16_384 }, async (lab) => {
    const others = watchProcessors();
    // cookies first: memory that the other flood frees would count for them
    const withCookies = await cookiesWeighed(lab);
    return { withCookies, remembered: await floodCost(lab, { cookies: 1 }), others: others() };
  });
}

const cost = {
  syns: count("SYNs of the flood"),
  cookiesSent: count("SyncookiesSent"),
  entries: count("requests in the SYN queue after it"),
  bytes: amount("bytes by which the kernel's slab memory grew"),
};

function costWords({ syns, entries, bytes }: { syns: number; entries: number; bytes: number }): string {
  return `${formatNumber(syns)} SYNs: ${formatNumber(entries)} in the SYN queue, ${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/**
 * Claim 37: bytes of kernel memory for a flood with SYN cookies, and for one without. The experiment calls floodCost()
 * with both settings. Source: cookie_init_sequence().
 * @throws ArgumentError judge(): cookies answered fewer than half of the SYNs
 */
export const floodsCostNothing = claim({
  number: 37,
  section: "Part 3",
  statement: "With SYN cookies the kernel survives SYN floods without using up memory.",
  quote: "without exhausting memory",
  notebook: "07",
  evidence: {
    withCookies: group("a flood answered by cookies", cost),
    remembered: optional(group("the same flood with a SYN queue that holds all of it", cost)),
    others: othersField,
  },
  experiment: (once) => once(memoryOfFlood),
  judge({ withCookies, remembered, others }) {
    if (withCookies.cookiesSent < withCookies.syns / 2)
      throw new ArgumentError(
        "Most of that flood was not answered by cookies.",
        "Set tcp_syncookies to 2, or flood more than the queue holds.",
      );
    const measured = `cookies: ${costWords(withCookies)}${remembered ? `; without: ${costWords(remembered)}` : ""}`;
    const kernel = "cookie_init_sequence()";
    const each = withCookies.bytes / withCookies.syns;
    if (each < fewBytes)
      return {
        verdict: "holds",
        measured,
        why: "The kernel stores nothing for a half-open handshake: what it must know comes back with the ACK. Connections that complete need as much memory as without cookies.",
        kernel,
      };
    // the requests are counted exactly; the memory is the whole machine's
    if (withCookies.entries === 0 && others !== undefined)
      throw new UndecidedError(
        measured,
        "The flood left no request in the kernel, so the memory is that of other programs. Measure again when the machine is quiet.",
        kernel,
      );
    return { verdict: "false", measured, why: "The kernel's memory grew with the flood.", kernel };
  },
});

/**
 * Claim 56: whether a SYN that is answered with a cookie enters the SYN queue. The experiment is that of claim 37.
 * Source: tcp_conn_request().
 * @throws ArgumentError judge(): no cookie was sent
 */
export const neverQueued = claim({
  number: 56,
  section: "Part 5",
  statement: "When it sends a cookie the kernel allocates nothing for the SYN and keeps it out of the SYN queue.",
  quote: "Does NOT allocate resources",
  notebook: "07",
  evidence: { withCookies: group("a flood answered by cookies", cost) },
  experiment: (once) => once(memoryOfFlood),
  judge({ withCookies }) {
    if (withCookies.cookiesSent === 0)
      throw new ArgumentError("No cookie was sent.", "Set tcp_syncookies to 2, or flood more than the queue holds.");
    const remembered = withCookies.syns - withCookies.cookiesSent;
    const measured = `${countOf(withCookies.cookiesSent, "cookie")} sent, ${costWords(withCookies)}`;
    const kernel = "tcp_conn_request()";
    if (withCookies.entries <= remembered)
      return {
        verdict: "holds",
        measured,
        why: "The kernel allocates a request only to write the SYN-ACK, and frees it at once. So the SYN is not 'dropped from the queue', as the text says: it was never in it.",
        kernel,
      };
    return {
      verdict: "false",
      measured,
      why: "The SYN queue holds SYNs that the kernel answered with a cookie.",
      kernel,
    };
  },
});

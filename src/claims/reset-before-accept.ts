/** Claim 23: connections that time out before they are accepted. */
import { ArgumentError } from "../errors";
import { countOf, formatTime } from "../wording/number";
import { native } from "../native";
import { claim } from "./claim";
import { amount, count, optional } from "./evidence";
import { inLab } from "./experiment";
import { atRest, msUntil } from "../waiting/until";
import { wireBurst } from "./wire-bursts";
import { withCookies } from "./cookies-setting";

const waitingBefore = 3;

/** tcp_synack_retries = 0: the kernel deletes a request whose final ACK was dropped after 1 s. The connections in the accept queue wait as long. */
async function givenUpBeforeAccept() {
  return inLab({ sysctls: { "net.ipv4.tcp_synack_retries": 0, "net.ipv4.tcp_syncookies": 0 } }, async (lab) => {
    const start = native.now();
    const { listener, burst, seen } = await wireBurst(lab, { clients: 6, waitingBefore });
    const queued = listener.acceptQueue;
    await msUntil(() => listener.synQueue === 0, 2000);
    const halfOpen = seen.synQueueWhileFull - listener.synQueue;
    await atRest(() => Object.values(burst.counts()), { quiet: 150 });
    const resetAtTimeout = burst.counts().reset;
    const waited = native.now() - start;
    const queuedReset = queued - listener.acceptQueue;
    await burst.send("x");
    await atRest(() => Object.values(burst.counts()), { quiet: 150 });
    return {
      halfOpen,
      resetAtTimeout,
      resetAtData: burst.counts().reset - resetAtTimeout,
      queued,
      queuedReset,
      waited,
      cookies: seen.cookies,
    };
  });
}

/**
 * Claim 23: whether connections that time out before accept() get an RST. The experiment sets tcp_synack_retries = 0,
 * so that the kernel deletes a request after 1 s. Source: reqsk_timer_handler().
 * @throws ArgumentError judge(): the server has deleted no request of an ESTABLISHED client
 */
export const timedOutGetReset = claim({
  number: 23,
  section: "Part 2",
  statement: "Connections that time out before they are accepted get an RST.",
  quote: "timeout before being accepted → RST sent",
  notebook: "04",
  evidence: {
    halfOpen: count("ESTABLISHED clients whose request the server deleted"),
    resetAtTimeout: count("how many of them got an RST at that moment"),
    resetAtData: optional(count("how many of them got an RST when they sent data afterwards")),
    queued: optional(count("connections that waited in the accept queue meanwhile")),
    queuedReset: optional(count("how many of these were gone in the end")),
    waited: optional(amount("ms for which they waited")),
    cookies: optional(count("net.ipv4.tcp_syncookies")),
  },
  experiment: (once) => once(givenUpBeforeAccept),
  judge({ halfOpen, resetAtTimeout, resetAtData, queued, queuedReset = 0, waited, cookies }) {
    if (halfOpen === 0)
      throw new ArgumentError(
        "No connection has timed out.",
        "Wait until the server has deleted a request whose client is ESTABLISHED.",
      );
    const later = resetAtData === undefined ? "" : `, ${resetAtData} when they sent data`;
    const standing =
      queued === undefined
        ? ""
        : `; of ${countOf(queued, "queued connection")} ${queuedReset} timed out${waited === undefined ? "" : ` in ${formatTime(waited)}`}`;
    const measured = `of ${countOf(halfOpen, "ESTABLISHED client")} whose request the server deleted, ${resetAtTimeout} got an RST then${later}${standing}${withCookies(cookies)}`;
    const kernel = "reqsk_timer_handler()";
    if (resetAtTimeout >= halfOpen)
      return { verdict: "holds", measured, why: "The kernel sent an RST when it deleted the requests.", kernel };
    if (resetAtTimeout > 0)
      return { verdict: "depends", measured, why: "The kernel sent an RST to some of the clients only.", kernel };
    const queue =
      queued !== undefined && queuedReset === 0
        ? " A connection in the accept queue has no such timer and waits without limit."
        : "";
    return {
      verdict: "false",
      measured,
      why: `The kernel deletes the request and sends nothing. The client gets an RST only when it next sends data.${queue}`,
      kernel,
    };
  },
});

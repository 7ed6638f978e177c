/** Claims 16 and 19: whether accept() brings in the clients outside, and whether the application gets all connections. */
import { ArgumentError } from "../errors";
import { claim } from "./claim";
import { amount, count, optional } from "./evidence";
import { inLab } from "./experiment";
import { atRest } from "../waiting/until";
import { loopbackOverflow } from "./loopback-overflow";
import { wireBurst } from "./wire-bursts";
import { countOf, formatTime } from "../wording/number";
import { withCookies } from "./cookies-setting";

/** ms: much for a kernel that moves a connection at once, and far from the 1 s until a retransmission */
const atOnce = 50;

/**
 * Claim 16: ms for which a place stays empty that accept() has made. The experiment is loopbackOverflow(). Source:
 * tcp_retransmit_timer().
 * @throws ArgumentError judge(): no client was outside
 */
export const movesOver = claim({
  number: 16,
  section: "Part 2",
  statement: "Each accept() makes the next connection move into the accept queue at once.",
  quote: "immediately moves from SYN → Accept Queue",
  notebook: "04",
  evidence: {
    emptyFor: amount("ms for which the place made by accept() stayed empty; Infinity: to the end"),
    outside: count("clients without a connection at that moment"),
    cookies: optional(count("net.ipv4.tcp_syncookies")),
  },
  experiment: (once) => once(loopbackOverflow),
  judge({ emptyFor, outside, cookies }) {
    if (outside === 0)
      throw new ArgumentError(
        "No client was outside, so no connection could move.",
        "Connect more clients than the queue holds, then accept.",
      );
    const measured = `${countOf(outside, "client")} outside; the free place stayed empty ${emptyFor === Infinity ? "until the end" : `for ${formatTime(emptyFor)}`}${withCookies(cookies)}`;
    const kernel = "tcp_retransmit_timer()";
    if (emptyFor <= atOnce)
      return { verdict: "holds", measured, why: "Another connection took the place as soon as it was free.", kernel };
    return {
      verdict: "false",
      measured,
      why: "The server has no record of the clients outside. The free place goes to the next SYN that arrives, and the clients' retransmission timers decide when that is.",
      kernel,
    };
  },
});

/** SYN cookies on, RTT 20 ms, and an application that accepts without a pause. */
async function acceptingAllThatCome() {
  return inLab({ sysctls: { "net.ipv4.tcp_syncookies": 1 } }, async (lab) => {
    const { listener, burst, seen } = await wireBurst(lab, { clients: 20 });
    const loop = listener.acceptLoop();
    // longer than the interval until the first retransmission of a SYN or SYN-ACK
    await atRest(() => [loop.accepted, listener.synQueue], { quiet: 1500 });
    const counts = burst.counts();
    const accepted = loop.accepted;
    await loop.close();
    return {
      clients: seen.clients,
      accepted,
      believe: counts.established,
      trying: counts.synSent + counts.idle,
      cookies: seen.cookies,
    };
  });
}

/**
 * Claim 19: whether the application gets every connection in the end. The experiment is a burst of 20 mirror clients
 * with SYN cookies against a backlog of 5. Source: tcp_get_cookie_sock().
 */
export const everyConnection = claim({
  number: 19,
  section: "Part 2",
  statement: "The application gets every connection eventually.",
  quote: "Application gets the connection eventually",
  notebook: "04",
  evidence: {
    clients: count("clients that connected"),
    accepted: count("connections that the application has accepted when nothing changes any more"),
    believe: optional(count("clients that are ESTABLISHED then")),
    trying: optional(count("clients that are still in SYN_SENT then")),
    cookies: optional(count("net.ipv4.tcp_syncookies")),
  },
  experiment: (once) => once(acceptingAllThatCome),
  judge({ clients, accepted, believe, trying = 0, cookies }) {
    const faith = believe === undefined ? "" : `, ${believe} clients are ESTABLISHED`;
    const still = trying > 0 ? `, ${trying} are in SYN_SENT` : "";
    const measured = `the application accepted ${accepted} of ${countOf(clients, "client")}${faith}${still}${withCookies(cookies)}`;
    const kernel = "tcp_get_cookie_sock()";
    if (accepted >= clients)
      return { verdict: "holds", measured, why: "The application accepted all of them.", kernel };
    if (accepted + trying >= clients)
      return {
        verdict: "depends",
        measured,
        why: "The remaining clients retransmit or time out. Their timers decide, and how long the application takes.",
        kernel,
      };
    return {
      verdict: "false",
      measured,
      why: "The kernel dropped the final ACKs of the other clients at the full accept queue. These clients are ESTABLISHED and have nothing to retransmit. The server has no record of them.",
      kernel,
    };
  },
});

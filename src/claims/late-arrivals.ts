/** Claims 16 and 19: whether accept() calls in those outside, and whether the application gets them all in the end. */
import { ArgumentError } from "../errors";
import { claim } from "./claim";
import { amount, count, optional } from "./evidence";
import { inLab } from "./experiment";
import { atRest } from "../waiting/until";
import { loopbackOverflow } from "./loopback-overflow";
import { wireBurst } from "./wire-bursts";
import { countOf, formatTime } from "../wording/number";
import { withCookies } from "./cookies-setting";

/** ms: generous for a kernel that moves a connection at once, and far from the second that a resend takes */
const atOnce = 50;

export const movesOver = claim({
  number: 16,
  section: "Part 2",
  statement: "Each accept() makes the next connection move into the accept queue at once.",
  quote: "immediately moves from SYN → Accept Queue",
  notebook: "04",
  evidence: {
    emptyFor: amount("ms for which the place made by accept() stayed empty; Infinity: nobody came"),
    outside: count("clients without a connection at that moment"),
    cookies: optional(count("net.ipv4.tcp_syncookies")),
  },
  experiment: (once) => once(loopbackOverflow),
  judge({ emptyFor, outside, cookies }) {
    if (outside === 0)
      throw new ArgumentError(
        "Nobody was outside, so nobody could move over.",
        "Let more clients connect than the queue holds, then accept.",
      );
    const measured = `${countOf(outside, "client")} outside; the free place stayed empty ${emptyFor === Infinity ? "until the end" : `for ${formatTime(emptyFor)}`}${withCookies(cookies)}`;
    const kernel = "tcp_retransmit_timer()";
    if (emptyFor <= atOnce)
      return { verdict: "holds", measured, why: "The place was filled as soon as it was free.", kernel };
    return {
      verdict: "false",
      measured,
      why: "The server remembers nobody whom it could call in. The place is taken by whoever resends next, and that is decided by the clients' timers.",
      kernel,
    };
  },
});

/** Cookies on, 20 ms away, and an application that accepts all it can get. */
async function acceptingAllThatCome() {
  return inLab({ sysctls: { "net.ipv4.tcp_syncookies": 1 } }, async (lab) => {
    const { listener, burst, seen } = await wireBurst(lab, { clients: 20 });
    const loop = listener.acceptLoop();
    // longer than a SYN or a SYN-ACK waits for its first resend
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

export const everyConnection = claim({
  number: 19,
  section: "Part 2",
  statement: "The application gets every connection eventually.",
  quote: "Application gets the connection eventually",
  notebook: "04",
  evidence: {
    clients: count("how many clients connected"),
    accepted: count("connections that the application has got once nothing moves any more"),
    believe: optional(count("clients that are ESTABLISHED then")),
    trying: optional(count("clients that are still in SYN_SENT then")),
    cookies: optional(count("net.ipv4.tcp_syncookies")),
  },
  experiment: (once) => once(acceptingAllThatCome),
  judge({ clients, accepted, believe, trying = 0, cookies }) {
    const faith = believe === undefined ? "" : `, ${believe} are connected as they see it`;
    const still = trying > 0 ? `, ${trying} still try` : "";
    const measured = `of ${countOf(clients, "client")} the application got ${accepted}${faith}${still}${withCookies(cookies)}`;
    const kernel = "tcp_get_cookie_sock()";
    if (accepted >= clients) return { verdict: "holds", measured, why: "All of them were accepted.", kernel };
    if (accepted + trying >= clients)
      return {
        verdict: "depends",
        measured,
        why: "The rest is on its way or gives up: their timers decide, and how long the application takes.",
        kernel,
      };
    return {
      verdict: "false",
      measured,
      why: "The final ACK of the others met a full queue and was dropped. They take themselves for connected and resend nothing; the server knows nothing of them.",
      kernel,
    };
  },
});

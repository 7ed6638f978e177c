/** Claims 13 and 40: how many handshakes a listener can have under way. */
import { ArgumentError } from "../errors";
import { claim } from "./claim";
import { count, integer, optional } from "./evidence";
import { inLab } from "./experiment";
import { atRest, msUntil } from "../waiting/until";
import { loopbackOverflow } from "./loopback-overflow";
import { countOf } from "../wording/number";
import { withCookies } from "./cookies-setting";

export const allSynsEnter = claim({
  number: 13,
  section: "Part 2",
  statement: "When 200 clients connect at once, all of their SYNs enter the SYN queue.",
  quote: "ALL go into SYN Queue",
  notebook: "04",
  evidence: {
    backlog: integer("the argument of listen(2)"),
    clients: count("how many clients came at once"),
    synQueue: count("requests in SYN_RECV while the accept queue was full"),
    dropped: count("ListenDrops: SYNs that the listener dropped"),
    cookiesSent: optional(count("SyncookiesSent: SYNs answered without an entry in the SYN queue")),
    cookies: optional(count("net.ipv4.tcp_syncookies")),
  },
  experiment: (once) => once(loopbackOverflow),
  judge({ backlog, clients, synQueue, dropped, cookiesSent = 0, cookies }) {
    if (clients <= backlog + 1)
      throw new ArgumentError(
        `${countOf(clients, "client")} cannot overflow a backlog of ${backlog}.`,
        "Let more come than the backlog.",
      );
    const answered = cookiesSent > 0 ? `, ${cookiesSent} answered with a cookie` : "";
    const measured = `backlog ${backlog}, ${clients} SYNs: ${dropped} dropped${answered}, ${synQueue} in the SYN queue while the accept queue is full${withCookies(cookies)}`;
    const kernel = "tcp_conn_request()";
    if (dropped === 0 && cookiesSent === 0)
      return { verdict: "holds", measured, why: "No SYN was turned away.", kernel };
    const why =
      dropped > 0
        ? "A SYN that meets a full accept queue is dropped before it can enter any queue."
        : "A SYN that meets a full SYN queue is answered with a cookie and enters no queue.";
    return { verdict: "false", measured, why, kernel };
  },
});

const backlog = 128;
const crowd = 1200;

/**
 * The best case for the text: the accept queue is one short of full, so that the listener still takes SYNs, tcp_max_syn_backlog is out of the
 * way, and all SYNs come before the first ACK does.
 */
async function everythingFull() {
  return inLab({ sysctls: { "net.ipv4.tcp_max_syn_backlog": 8192 } }, async (lab) => {
    const listener = await lab.listen({ backlog });
    await lab.connect(listener, { clients: backlog });
    await atRest(() => [listener.acceptQueue], { quiet: 50 });
    let most = { waiting: 0, synQueue: 0 };
    const look = () => {
      const now = { waiting: listener.acceptQueue, synQueue: listener.synQueue };
      if (now.waiting + now.synQueue > most.waiting + most.synQueue) most = now;
      return [now.waiting, now.synQueue];
    };
    let ended = false;
    const burst = lab.connect(listener, { clients: crowd, kind: "mirror", rtt: 100 }).finally(() => (ended = true));
    await msUntil(() => (look(), ended), 5000);
    await burst;
    await atRest(look);
    return { backlog, clients: backlog + crowd, ...most, cookies: await lab.sysctl.get("net.ipv4.tcp_syncookies") };
  });
}

export const totalCapacity = claim({
  number: 40,
  section: "Part 4",
  statement: "Beside the 128 connections that wait for accept(), more than 1000 fit into the SYN queue.",
  quote: "Total capacity: 1000+ simultaneous connection attempts",
  notebook: "04",
  evidence: {
    backlog: integer("the argument of listen(2)"),
    clients: count("how many clients tried"),
    waiting: count("connections in the accept queue when both queues together held most"),
    synQueue: count("requests in the SYN queue at the same moment"),
    cookies: optional(count("net.ipv4.tcp_syncookies")),
  },
  experiment: (once) => once(everythingFull),
  judge({ backlog, clients, waiting, synQueue, cookies }) {
    if (clients < backlog + 1000)
      throw new ArgumentError(
        `${countOf(clients, "client")} cannot fill ${backlog} places and 1000 more.`,
        `Let at least ${backlog + 1000} try.`,
      );
    const measured = `backlog ${backlog}, ${clients} clients: at most ${waiting} + ${synQueue} = ${waiting + synQueue} are held at once${withCookies(cookies)}`;
    const kernel = "inet_csk_reqsk_queue_is_full()";
    if (synQueue >= 1000)
      return {
        verdict: "holds",
        measured,
        why: "The SYN queue took more than 1000 requests whatever the backlog.",
        kernel,
      };
    return {
      verdict: "false",
      measured,
      why: "The SYN queue is bounded by the same number as the accept queue: min(backlog, somaxconn). There is no second bound of 1000 and more.",
      kernel,
    };
  },
});

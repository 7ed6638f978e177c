/** Claims 13 and 40: how many handshakes of a listener can be in progress. */
import { ArgumentError } from "../errors";
import { claim } from "./claim";
import { count, integer, optional } from "./evidence";
import { inLab } from "./experiment";
import { atRest, msUntil } from "../waiting/until";
import { loopbackOverflow } from "./loopback-overflow";
import { countOf } from "../wording/number";
import { withCookies } from "./cookies-setting";

/**
 * Claim 13: whether all SYNs of 200 clients enter the SYN queue. The experiment is loopbackOverflow(). Source:
 * tcp_conn_request().
 * @throws ArgumentError judge(): the clients fit into the accept queue
 */
export const allSynsEnter = claim({
  number: 13,
  section: "Part 2",
  statement: "When 200 clients connect at once, all of their SYNs enter the SYN queue.",
  quote: "ALL go into SYN Queue",
  notebook: "04",
  evidence: {
    backlog: integer("the argument of listen(2)"),
    clients: count("clients that connected at once"),
    synQueue: count("requests in SYN_RECV while the accept queue was full"),
    dropped: count("ListenDrops: SYNs that the listener dropped"),
    cookiesSent: optional(count("SyncookiesSent: SYNs answered without a request in the SYN queue")),
    cookies: optional(count("net.ipv4.tcp_syncookies")),
  },
  experiment: (once) => once(loopbackOverflow),
  judge({ backlog, clients, synQueue, dropped, cookiesSent = 0, cookies }) {
    if (clients <= backlog + 1)
      throw new ArgumentError(
        `${countOf(clients, "client")} cannot overflow a backlog of ${backlog}.`,
        "Connect more clients than the backlog.",
      );
    const answered = cookiesSent > 0 ? `, ${cookiesSent} answered with a SYN cookie` : "";
    const measured = `backlog ${backlog}, ${clients} SYNs: ${dropped} dropped${answered}, ${synQueue} in the SYN queue while the accept queue is full${withCookies(cookies)}`;
    const kernel = "tcp_conn_request()";
    if (dropped === 0 && cookiesSent === 0)
      return { verdict: "holds", measured, why: "The kernel stored a request for every SYN.", kernel };
    const why =
      dropped > 0
        ? "The kernel drops a SYN that meets a full accept queue before the SYN enters any queue."
        : "The kernel answers a SYN that meets a full SYN queue with a SYN cookie and stores no request.";
    return { verdict: "false", measured, why, kernel };
  },
});

const fullBacklog = 128;
const crowd = 1200;

/**
 * The best case for the text: the accept queue is one short of full, so that the listener still takes SYNs, tcp_max_syn_backlog is out of the
 * way, and all SYNs come before the first ACK does.
 */
async function everythingFull() {
  return inLab({ sysctls: { "net.ipv4.tcp_max_syn_backlog": 8192 } }, async (lab) => {
    const listener = await lab.listen({ backlog: fullBacklog });
    await lab.connect(listener, { clients: fullBacklog });
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
    return {
      backlog: fullBacklog,
      clients: fullBacklog + crowd,
      ...most,
      cookies: await lab.sysctl.get("net.ipv4.tcp_syncookies"),
    };
  });
}

/**
 * Claim 40: how many connections and requests a backlog of 128 holds at once. The experiment sends 1,200 mirror clients
 * (RTT 100 ms) to an almost full accept queue. Source: inet_csk_reqsk_queue_is_full().
 * @throws ArgumentError judge(): fewer clients than the backlog and 1,000 more
 */
export const totalCapacity = claim({
  number: 40,
  section: "Part 4",
  statement: "Besides the 128 connections that wait for accept(), more than 1000 fit into the SYN queue.",
  quote: "Total capacity: 1000+ simultaneous connection attempts",
  notebook: "04",
  evidence: {
    backlog: integer("the argument of listen(2)"),
    clients: count("clients that connected"),
    waiting: count("connections in the accept queue when both queues together held most"),
    synQueue: count("requests in the SYN queue at the same moment"),
    cookies: optional(count("net.ipv4.tcp_syncookies")),
  },
  experiment: (once) => once(everythingFull),
  judge({ backlog, clients, waiting, synQueue, cookies }) {
    if (clients < backlog + 1000)
      throw new ArgumentError(
        `${countOf(clients, "client")} cannot fill the accept queue and 1000 places more.`,
        `Connect at least ${backlog + 1000}.`,
      );
    const measured = `backlog ${backlog}, ${clients} clients: at most ${waiting} + ${synQueue} = ${waiting + synQueue} are held at once${withCookies(cookies)}`;
    const kernel = "inet_csk_reqsk_queue_is_full()";
    if (synQueue >= 1000)
      return {
        verdict: "holds",
        measured,
        why: "The SYN queue held more than 1000 requests with this backlog.",
        kernel,
      };
    return {
      verdict: "false",
      measured,
      why: "The SYN queue has the same limit as the accept queue: min(backlog, somaxconn). There is no second limit of 1000 and more.",
      kernel,
    };
  },
});

/** Claims 15 and 18: what happens to a handshake that meets a full accept queue. */
import { ArgumentError } from "../errors";
import { claim } from "./claim";
import { count, type Evidence, list, optional } from "./evidence";
import { countOf } from "../wording/number";
import { type WireBurst, wireBursts } from "./wire-bursts";

const burst = {
  cookies: count("net.ipv4.tcp_syncookies"),
  believe: count("clients that were ESTABLISHED when nothing changed any more"),
  queued: count("connections in the accept queue then"),
};

const stay = {
  ...burst,
  clients: count("clients that connected at once"),
  synQueueWhileFull: count("requests in SYN_RECV while the accept queue was full"),
  resent: optional(count("requests whose SYN-ACK the server retransmitted although the client had answered it")),
};

/** What the kernel did in one burst with the clients beyond the capacity. */
function fate({ believe, queued, synQueueWhileFull, resent = 0, cookies }: Evidence<typeof stay>): string {
  if (synQueueWhileFull > 0 && resent > 0)
    return "it dropped the final ACK, kept the request in SYN_RECV, and retransmitted its SYN-ACK";
  if (synQueueWhileFull > 0) return "it kept the requests in the SYN queue";
  if (believe > queued)
    return cookies === 0
      ? "it dropped the final ACKs and stored nothing"
      : "it had answered with SYN cookies, dropped the final ACKs and stored nothing";
  return "it dropped the SYNs and stored nothing";
}

/**
 * Claim 15: whether the SYN queue has a "completed" part for clients beyond the backlog. The experiment is
 * wireBursts(). Source: tcp_v4_syn_recv_sock().
 * @throws ArgumentError judge(): all clients of a burst fitted into the accept queue
 */
export const completedPart = claim({
  number: 15,
  section: "Part 2",
  statement: 'Connections beyond the backlog complete their handshake and stay in a "completed" part of the SYN queue.',
  quote: 'waits in the SYN Queue\'s "completed" section',
  notebook: "04",
  evidence: { ...stay, others: optional(list("the same of other bursts, under other conditions", stay)) },
  async experiment(once) {
    const [first, ...others] = await once(wireBursts);
    const narrow = ({ cookies, clients, believe, queued, synQueueWhileFull, resent }: WireBurst) => ({
      cookies,
      clients,
      believe,
      queued,
      synQueueWhileFull,
      ...(resent !== undefined && { resent }),
    });
    return { ...narrow(first), others: others.map(narrow) };
  },
  judge({ others = [], ...first }) {
    const cases = [first, ...others];
    for (const { clients, queued } of cases)
      if (clients <= queued)
        throw new ArgumentError(
          `All ${clients} clients fitted into the accept queue.`,
          "Connect more clients than it holds.",
        );
    const staying = cases.filter(
      ({ clients, queued, believe, synQueueWhileFull, resent = 0 }) =>
        believe === clients && synQueueWhileFull === clients - queued && resent === 0,
    );
    const measured = cases
      .map(
        ({ cookies, clients, believe, queued, synQueueWhileFull, resent }) =>
          `tcp_syncookies = ${cookies}: ${believe} of ${clients} clients are ESTABLISHED, ${queued} in the accept queue, ${synQueueWhileFull} in the SYN queue${resent ? ` (SYN-ACK retransmitted for ${resent})` : ""}`,
      )
      .join("; ");
    const fates = [...new Set(cases.filter((each) => !staying.includes(each)).map(fate))].join("; or ");
    const kernel = "tcp_v4_syn_recv_sock()";
    if (staying.length === cases.length)
      return {
        verdict: "holds",
        measured,
        why: "The clients beyond the capacity completed their handshake and stayed in the SYN queue.",
        kernel,
      };
    if (staying.length > 0)
      return {
        verdict: "depends",
        measured,
        why: `In some bursts the clients beyond the capacity completed their handshake and stayed in the SYN queue. In the others the kernel did this: ${fates}.`,
        kernel,
      };
    return {
      verdict: "false",
      measured,
      why: `The SYN queue has no completed part. What the kernel did with the clients beyond the capacity: ${fates}.`,
      kernel,
    };
  },
});

const dropped = { ...burst, drops: count("ListenDrops: SYNs and final ACKs that the listener dropped") };

/**
 * Claim 18: whether the listener drops SYNs or final ACKs of connections beyond the backlog. The experiment is
 * wireBursts(). Source: tcp_conn_request().
 */
export const notDropped = claim({
  number: 18,
  section: "Part 2",
  statement:
    "The handshake of a connection beyond the backlog is not rejected, and the connection is not dropped at once.",
  quote: "Connection is NOT dropped immediately",
  notebook: "04",
  evidence: { ...dropped, others: optional(list("the same of other bursts, under other conditions", dropped)) },
  async experiment(once) {
    const [first, ...others] = await once(wireBursts);
    const narrow = ({ cookies, believe, queued, drops }: WireBurst) => ({ cookies, believe, queued, drops });
    return { ...narrow(first), others: others.map(narrow) };
  },
  judge({ others = [], ...first }) {
    const cases = [first, ...others];
    const measured = cases
      .map(
        ({ cookies, drops, believe, queued }) =>
          `tcp_syncookies = ${cookies}: ${countOf(drops, "drop")}, ${believe} clients are ESTABLISHED, ${queued} in the accept queue`,
      )
      .join("; ");
    const losing = cases.filter(({ drops }) => drops > 0);
    const unseen = losing.some(({ believe, queued }) => believe > queued)
      ? " If the final ACK is dropped, the client stays ESTABLISHED and does not learn of it."
      : "";
    const kernel = "tcp_conn_request()";
    if (losing.length === 0) return { verdict: "holds", measured, why: "The listener dropped nothing.", kernel };
    if (losing.length < cases.length)
      return {
        verdict: "depends",
        measured,
        why: `Under some of these conditions the listener dropped segments of the handshake.${unseen}`,
        kernel,
      };
    return {
      verdict: "false",
      measured,
      why: `The kernel sends no RST, but it drops the SYN or the final ACK at once and sends no answer.${unseen}`,
      kernel,
    };
  },
});

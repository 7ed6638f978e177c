/** Claims 15 and 18: what becomes of a handshake that meets a full accept queue. */
import { ArgumentError } from "../errors";
import { claim } from "./claim";
import { count, Evidence, list, optional } from "./evidence";
import { countOf } from "../wording/number";
import { wireBursts } from "./wire-bursts";

const burst = {
  cookies: count("net.ipv4.tcp_syncookies"),
  believe: count("clients that were ESTABLISHED once nothing moved"),
  queued: count("connections in the accept queue then"),
};

const stay = {
  ...burst,
  clients: count("how many clients came at once"),
  synQueueWhileFull: count("requests in SYN_RECV while the accept queue was full"),
  resent: optional(count("requests whose SYN-ACK the server sent again although the client had answered it")),
};

/** What the kernel did with the surplus of one burst. */
function fate({ believe, queued, synQueueWhileFull, resent = 0, cookies }: Evidence<typeof stay>): string {
  if (synQueueWhileFull > 0 && resent > 0)
    return "it dropped the final ACK, kept the request in SYN_RECV as if no ACK had come, and sent its SYN-ACK again";
  if (synQueueWhileFull > 0) return "it kept requests";
  if (believe > queued)
    return cookies === 0
      ? "it dropped the final ACKs and kept nothing"
      : "it had answered with cookies, dropped the final ACKs and kept nothing";
  return "it dropped the SYNs and kept nothing";
}

export const completedPart = claim({
  number: 15,
  section: "Part 2",
  statement: 'Connections beyond the backlog complete their handshake and stay in a "completed" part of the SYN queue.',
  quote: 'waits in the SYN Queue\'s "completed" section',
  notebook: "04",
  evidence: { ...stay, others: optional(list("the same of other bursts, under other conditions", stay)) },
  async experiment(once) {
    const [first, ...others] = await once(wireBursts);
    const narrow = ({ cookies, clients, believe, queued, synQueueWhileFull, resent }: typeof first) => ({
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
        throw new ArgumentError(`All ${clients} clients fitted into the accept queue.`, "Let more come than it holds.");
    const staying = cases.filter(
      ({ clients, queued, believe, synQueueWhileFull, resent = 0 }) =>
        believe === clients && synQueueWhileFull === clients - queued && resent === 0,
    );
    const measured = cases
      .map(
        ({ cookies, clients, believe, queued, synQueueWhileFull, resent }) =>
          `tcp_syncookies = ${cookies}: of ${clients} clients ${believe} are connected as they see it, the accept queue has ${queued}, the SYN queue ${synQueueWhileFull}${resent ? ` (SYN-ACK sent again for ${resent})` : ""}`,
      )
      .join("; ");
    const fates = [...new Set(cases.filter((each) => !staying.includes(each)).map(fate))].join("; or ");
    const kernel = "tcp_v4_syn_recv_sock()";
    if (staying.length === cases.length)
      return { verdict: "holds", measured, why: "The surplus completed and stayed in the SYN queue.", kernel };
    if (staying.length > 0)
      return {
        verdict: "depends",
        measured,
        why: `Sometimes the surplus completed and stayed in the SYN queue. Else the kernel did this: ${fates}.`,
        kernel,
      };
    return {
      verdict: "false",
      measured,
      why: `There is no such part. What the kernel did with the surplus: ${fates}.`,
      kernel,
    };
  },
});

const dropped = { ...burst, drops: count("ListenDrops: SYNs and final ACKs that the listener dropped") };

export const notDropped = claim({
  number: 18,
  section: "Part 2",
  statement:
    "The handshake of a connection beyond the backlog is not rejected, and the connection is not dropped at once.",
  quote: "Connection is NOT dropped immediately",
  notebook: "04",
  evidence: { ...dropped, others: optional(list("the same of other bursts, under other conditions", dropped)) },
  async experiment(once) {
    const [first, ...others] = (await once(wireBursts)).map(({ cookies, believe, queued, drops }) => ({
      cookies,
      believe,
      queued,
      drops,
    }));
    return { ...first, others };
  },
  judge({ others = [], ...first }) {
    const cases = [first, ...others];
    const measured = cases
      .map(
        ({ cookies, drops, believe, queued }) =>
          `tcp_syncookies = ${cookies}: ${countOf(drops, "drop")}, ${believe} clients are connected as they see it, ${queued} in the accept queue`,
      )
      .join("; ");
    const losing = cases.filter(({ drops }) => drops > 0);
    const unseen = losing.some(({ believe, queued }) => believe > queued)
      ? " Where it is the final ACK that is dropped, the client does not learn of it and takes itself for connected."
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
      why: `It is not rejected (no RST), but the listener drops its SYN or its final ACK at once and in silence.${unseen}`,
      kernel,
    };
  },
});

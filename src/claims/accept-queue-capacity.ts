/** Claims 6, 12 and 14: how many connections an accept queue holds, and what the backlog limits. */
import { ArgumentError } from "../errors";
import { claim, type Verdict } from "./claim";
import { count, integer, optional } from "./evidence";
import { kernelFunction } from "./kernel-function";
import { loopbackOverflow } from "./loopback-overflow";
import { countOf } from "../wording/number";
import { withCookies } from "./cookies-setting";

const backlogField = integer("the argument of listen(2)");
const waitingField = count("connections in the accept queue after more clients had connected than it holds");
const cookiesField = optional(count("net.ipv4.tcp_syncookies"));

const isFull = "sk_acceptq_is_full()";

/**
 * Claim 6: whether the accept queue holds exactly `backlog` connections. The experiment is loopbackOverflow(). Source:
 * sk_acceptq_is_full(); for a backlog above somaxconn, __sys_listen_socket().
 */
export const capacity = claim({
  number: 6,
  section: "Part 1",
  statement: "The accept queue holds exactly as many connections as the backlog says.",
  quote: "Size: 128 (backlog parameter)",
  notebook: "04",
  evidence: {
    backlog: backlogField,
    somaxconn: integer("net.core.somaxconn"),
    waiting: waitingField,
    cookies: cookiesField,
  },
  experiment: (once) => once(loopbackOverflow),
  judge({ backlog, somaxconn, waiting, cookies }): Verdict {
    const measured = `listen(${backlog}) with somaxconn = ${somaxconn}: ${waiting} wait${withCookies(cookies)}`;
    if (waiting === backlog)
      return {
        verdict: "holds",
        measured,
        why: "The accept queue held as many connections as the backlog says.",
        kernel: isFull,
      };
    // the kernel compares as unsigned: -1 is the largest of all
    const most = Math.min(backlog >>> 0, somaxconn);
    const clamped =
      most !== backlog ? ` listen() had cut ${backlog} down to ${most} (somaxconn) without an error.` : "";
    const deciding = most !== backlog ? kernelFunction("listenCut") : isFull;
    if (waiting === most + 1)
      return {
        verdict: "false",
        measured,
        why: `The kernel calls the accept queue full only when it holds more than its limit of ${most}, so ${most + 1} connections fit.${clamped}`,
        kernel: deciding,
      };
    return {
      verdict: "false",
      measured,
      why: `The accept queue held neither ${backlog} nor ${most + 1} connections.${clamped}`,
      kernel: deciding,
    };
  },
});

/**
 * Claim 12: whether the backlog limits the accept queue only. The experiment is loopbackOverflow(). Source:
 * sk_acceptq_is_full().
 * @throws ArgumentError judge(): the clients fit into the accept queue
 */
export const boundOfTheQueue = claim({
  number: 12,
  section: "Part 2",
  statement: "The backlog limits the accept queue, not the number of connections.",
  quote: "NOT the total connection limit",
  notebook: "04",
  evidence: {
    backlog: backlogField,
    clients: count("clients that connected at once"),
    waiting: waitingField,
    open: count("connections accepted and open at once, after the application had begun to accept"),
    established: optional(count("clients that were ESTABLISHED while the queue was full")),
    cookies: cookiesField,
  },
  experiment: (once) => once(loopbackOverflow),
  judge({ backlog, clients, waiting, open, cookies }): Verdict {
    if (clients <= backlog + 1)
      throw new ArgumentError(
        `${countOf(clients, "client")} cannot fill a queue with a backlog of ${backlog}.`,
        "Connect more clients than the backlog.",
      );
    const measured = `backlog ${backlog}, ${clients} clients: ${waiting} wait${withCookies(cookies)}; while the application accepts, ${open} are open at once`;
    const kernel = isFull;
    if (waiting > backlog + 1)
      return { verdict: "false", measured, why: `The accept queue grew beyond the backlog.`, kernel };
    if (open <= backlog + 1)
      return { verdict: "false", measured, why: "The backlog limited the accepted connections, too.", kernel };
    return {
      verdict: "holds",
      measured,
      why: "Only connections that wait for accept() count against the backlog (sk_ack_backlog). accept() takes a connection off this count.",
      kernel,
    };
  },
});

/**
 * Claim 14: whether the accept queue is full when its length is the backlog. The experiment is loopbackOverflow().
 * Source: sk_acceptq_is_full().
 */
export const firstOnes = claim({
  number: 14,
  section: "Part 2",
  statement: "The first 128 connections to complete fill the accept queue: 128 of 128.",
  quote: "now full: 128/128",
  notebook: "04",
  evidence: { backlog: backlogField, waiting: waitingField, cookies: cookiesField },
  experiment: (once) => once(loopbackOverflow),
  judge({ backlog, waiting, cookies }): Verdict {
    const measured = `${waiting} of ${backlog} in the full queue${withCookies(cookies)}`;
    if (waiting === backlog)
      return {
        verdict: "holds",
        measured,
        why: "The accept queue was full when its length was the backlog.",
        kernel: isFull,
      };
    if (waiting > backlog)
      return {
        verdict: "false",
        measured,
        why: `With ${backlog} connections waiting, the queue was not yet full. The kernel calls it full only when it holds more than the limit, so ${backlog + 1} fit.`,
        kernel: isFull,
      };
    return {
      verdict: "false",
      measured,
      why: `The accept queue was full before it held ${backlog} connections.`,
      kernel: isFull,
    };
  },
});

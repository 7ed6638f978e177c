/** Claims 17 and 20: when a client is refused. */
import type { Lab } from "../front-door";
import { ArgumentError, LabError } from "../errors";
import type { Connection } from "../listener/connection";
import { programFile } from "../server/programs";
import { claim } from "./claim";
import { count, group, optional } from "./evidence";
import { inLab } from "./experiment";
import { atRest } from "../waiting/until";
import { loopbackOverflow } from "./loopback-overflow";
import { wireBurst } from "./wire-bursts";
import { countOf } from "../wording/number";

/** tcp_abort_on_overflow = 1, and final ACKs that meet an accept queue that has filled meanwhile. Its capacity is 6, three connections wait in it, and six handshakes follow. */
async function abortingBurst() {
  return inLab({ sysctls: { "net.ipv4.tcp_abort_on_overflow": 1, "net.ipv4.tcp_syncookies": 0 } }, async (lab) => {
    const { seen } = await wireBurst(lab, { clients: 6, waitingBefore: 3 });
    return { clients: seen.clients, refused: seen.refused };
  });
}

/**
 * Claim 17: whether a full accept queue refuses clients. The experiment is loopbackOverflow(), and a burst with
 * tcp_abort_on_overflow = 1. Source: tcp_check_req().
 */
export const notRefused = claim({
  number: 17,
  section: "Part 2",
  statement: "A client that connects when the accept queue is full is not refused.",
  quote: "does NOT receive connection refused",
  notebook: "04",
  evidence: {
    refused: count("clients that were refused or reset"),
    abortOnOverflow: count("net.ipv4.tcp_abort_on_overflow during that"),
    refusedWithAbort: optional(count("clients that were refused or reset with tcp_abort_on_overflow = 1")),
    cookies: optional(count("net.ipv4.tcp_syncookies")),
  },
  async experiment(once) {
    const { refused, cookies } = await once(loopbackOverflow);
    return { refused, abortOnOverflow: 0, refusedWithAbort: (await once(abortingBurst)).refused, cookies };
  },
  judge({ refused, abortOnOverflow, refusedWithAbort, cookies }) {
    const also = refusedWithAbort === undefined ? "" : `; tcp_abort_on_overflow = 1: ${refusedWithAbort} reset`;
    const measured = `tcp_abort_on_overflow = ${abortOnOverflow}${cookies === undefined ? "" : `, tcp_syncookies = ${cookies}`}: ${countOf(refused, "client")} refused${also}`;
    const kernel = "tcp_check_req()";
    const silent = "The kernel drops what does not fit and sends no answer";
    if (refused > 0 && abortOnOverflow === 0)
      return {
        verdict: "false",
        measured,
        why: "The kernel refused clients although tcp_abort_on_overflow was 0.",
        kernel,
      };
    if (refused > 0 || (refusedWithAbort ?? 0) > 0)
      return {
        verdict: "depends",
        measured,
        why: `${silent}. But with tcp_abort_on_overflow = 1 it answers a final ACK that meets a full accept queue with RST.`,
        kernel,
      };
    return { verdict: "holds", measured, why: `${silent}: without an RST the client is not refused.`, kernel };
  },
});

/** An application that never accepts, and clients that time out after about 3 s (tcp_syn_retries = 1). */
async function clientsOfASlowApplication() {
  return inLab({ wire: false, sysctls: { "net.ipv4.tcp_syn_retries": 1 } }, async (lab) => {
    const listener = await lab.listen({ backlog: 0 });
    const clients = await lab.connect(listener, { clients: 5 });
    await clients.settled({ timeout: 5000 });
    const { refused, reset, timedOut } = clients.counts();
    return { clients: clients.length, refused: refused + reset, timedOut };
  });
}

const port = 8080;
const descriptorLimit = 40;

/** A node server that may have 40 descriptors, and more clients than that. */
async function clientsOfAnExhaustedServer(lab: Lab) {
  const program = await lab.spawn(process.execPath, [programFile("silent-server.mjs"), String(port)], {
    limits: { nofile: descriptorLimit },
  });
  await new Promise((resolve) => program.stdout.once("data", resolve).once("end", resolve));
  const open: Connection[] = [];
  let refused = 0;
  for (let at = 0; at < 1.5 * descriptorLimit; at++) {
    try {
      open.push(await lab.dial(port, { timeout: 2000 }));
    } catch (error) {
      if ((error as LabError).code !== "ECONNREFUSED" && (error as LabError).code !== "ECONNRESET") throw error;
      refused += 1;
    }
  }
  const clients = open.length + refused;
  const closeWait = 8;
  const closedByServer = () => open.filter((connection) => connection.info().state === closeWait).length;
  await atRest(() => [closedByServer()], { quiet: 100 });
  const closed = closedByServer();
  for (const connection of open) await connection.close();
  await program.close();
  if (refused === clients)
    throw new LabError("The server did not come up.", {
      code: "ECONNREFUSED",
      hint: "It is a node program with a limit of its own. Can node run in a Lab on this machine?",
    });
  return { clients, refused, closed };
}

async function reasonsToRefuse() {
  return inLab({ sysctls: { "net.ipv4.tcp_syncookies": 0 } }, async (lab) => {
    const slowApplication = clientsOfASlowApplication();
    // awaited below: an earlier failure must not leave its rejection unhandled
    slowApplication.catch(() => undefined);
    const { seen } = await wireBurst(lab, { clients: 20 });
    const noDescriptors = await clientsOfAnExhaustedServer(lab);
    return {
      synQueueFull: { clients: seen.clients, refused: seen.refused },
      noDescriptors,
      slowApplication: await slowApplication,
    };
  });
}

const attempts = { clients: count("clients that connected"), refused: count("clients that were refused or reset") };

/**
 * Claim 20: which conditions lead to a refusal. The experiment makes a full SYN queue, an application that never
 * accepts, and a server without a free descriptor. Source: tcp_conn_request().
 * @throws ArgumentError judge(): a condition was met by no client
 */
export const reasons = claim({
  number: 20,
  section: "Part 2",
  statement:
    "Connections are refused only if the SYN queue is full as well, or the application is too slow for a timeout, or descriptors have run out.",
  quote: "Connections are only refused if",
  notebook: "04",
  evidence: {
    synQueueFull: group("clients that met a full SYN queue", attempts),
    slowApplication: group("clients of an application that does not accept, until their timers have ended", {
      ...attempts,
      timedOut: optional(count("clients that timed out")),
    }),
    noDescriptors: group("clients of a server without a free descriptor", {
      ...attempts,
      closed: optional(count("clients that connected and were closed by the server")),
    }),
    otherwise: optional(
      group("clients that met a full accept queue with tcp_abort_on_overflow = 1 and room in the SYN queue", attempts),
    ),
  },
  async experiment(once) {
    return { ...(await once(reasonsToRefuse)), otherwise: await once(abortingBurst) };
  },
  judge({ synQueueFull, slowApplication, noDescriptors, otherwise }) {
    const conditions = [synQueueFull, slowApplication, noDescriptors];
    if (conditions.some(({ clients }) => clients === 0))
      throw new ArgumentError(
        "Each condition needs clients that met it.",
        "Connect some clients under each condition.",
      );
    const refusing = conditions.filter(({ refused }) => refused > 0).length;
    const elsewhere = (otherwise?.refused ?? 0) > 0;
    const timedOut = slowApplication.timedOut === undefined ? "" : ` (${slowApplication.timedOut} timed out)`;
    const closed =
      noDescriptors.closed === undefined ? "" : ` (${noDescriptors.closed} connected, then closed by the server)`;
    const abort =
      otherwise === undefined
        ? ""
        : `; with tcp_abort_on_overflow = 1 and a full accept queue: ${otherwise.refused} of ${otherwise.clients}`;
    const measured =
      `refused with a full SYN queue: ${synQueueFull.refused} of ${synQueueFull.clients}; by a slow application: ${slowApplication.refused} of ${slowApplication.clients}${timedOut}; ` +
      `without descriptors: ${noDescriptors.refused} of ${noDescriptors.clients}${closed}${abort}`;
    const kernel = "tcp_conn_request()";
    if (refusing === 3 && !elsewhere)
      return {
        verdict: "holds",
        measured,
        why: "Each of the three conditions led to refusals, and no other condition did.",
        kernel,
      };
    if (refusing > 0)
      return {
        verdict: "depends",
        measured,
        why: `${refusing} of the three conditions led to refusals${elsewhere ? ", and so did another one" : ""}.`,
        kernel,
      };
    return {
      verdict: "false",
      measured,
      why: `None of the three makes the kernel send an RST. A full SYN queue drops the SYN or answers with a cookie. A slow application lets clients time out. Handshakes need no descriptor.${elsewhere ? " Only a full accept queue with tcp_abort_on_overflow = 1 refuses clients." : ""}`,
      kernel,
    };
  },
});

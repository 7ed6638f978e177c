/** Claims 31, 33 and 34: when accept() returns, and what it returns. */
import { ArgumentError, type LabError } from "../errors";
import type { Lab } from "../front-door";
import type { Connection } from "../listener/connection";
import { tcpStates } from "../listener/sockets-table";
import { native } from "../native";
import { claim } from "./claim";
import { amount, count, list, text } from "./evidence";
import { inLab } from "./experiment";
import { countOf } from "../wording/number";

async function blockedAccept() {
  return inLab({}, async (lab) => {
    const listener = await lab.listen();
    const peer = (await lab.wire()).peer(listener);
    const began = native.now();
    let ended = NaN;
    const accepting = listener.accept({ timeout: 2000 }).then((connection) => ((ended = native.now()), connection));
    await new Promise((resolve) => setTimeout(resolve, 30));
    peer.syn();
    await peer.receive();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const acked = native.now();
    peer.ack();
    const connection = await accepting;
    const { address, port } = connection.remote;
    return {
      blocked: acked - began,
      woke: ended - acked,
      descriptor: connection.fd,
      returned: `${address}:${port}`,
      client: `${peer.address}:${peer.port}`,
    };
  });
}

/**
 * Claim 31: whether the final ACK wakes a blocked accept(). The experiment sends the ACK about 60 ms after the call;
 * times are in ms. Source: sock_def_readable(), inet_csk_accept().
 */
export const acceptWakes = claim({
  number: 31,
  section: "Part 3",
  statement:
    "A blocked accept() wakes up when the connection is complete and returns its descriptor and the client's address.",
  quote: "Wake up Accept() call (if blocked)",
  notebook: "02",
  evidence: {
    blocked: amount("ms that accept() had waited when the final ACK was sent"),
    woke: amount("ms from the final ACK to its return"),
    descriptor: count("the descriptor it returned"),
    returned: text("address:port it returned"),
    client: text("address:port of the client"),
  },
  experiment: (once) => once(blockedAccept),
  judge({ blocked, woke, descriptor, returned, client }) {
    const measured = `accept() (poll, then accept4) had waited ${blocked.toFixed(0)} ms, returned ${woke.toFixed(2)} ms after the ACK: fd ${descriptor}, ${returned}`;
    const kernel = "inet_csk_accept()";
    if (returned !== client || descriptor < 3)
      return { verdict: "false", measured, why: `The client was ${client}.`, kernel };
    return {
      verdict: "holds",
      measured,
      why: "The final ACK wakes the processes that wait on the listener (sock_def_readable()). Our accept() waits in poll(), so that it can be interrupted, and then calls accept4(). A thread that blocks in accept4() itself sleeps on the same wait queue (inet_csk_wait_for_connect()).",
      kernel,
    };
  },
});

async function dataBeforeAccept() {
  return inLab({}, async (lab) => {
    const listener = await lab.listen();
    const peer = (await lab.wire()).peer(listener);
    await peer.handshake();
    peer.send("GET / HTTP/1.1");
    const waiting = lab.sockets({ port: listener.port, states: ["ESTABLISHED"] })[0]?.receiveQueue ?? 0;
    const connection = listener.tryAccept();
    return { sent: "GET / HTTP/1.1", waiting, read: String((await connection?.read({ timeout: 1000 })) ?? "") };
  });
}

/**
 * Claim 33: whether data that arrives before accept() waits in the connection. The experiment sends it from a peer on
 * the wire. Source: tcp_data_queue().
 * @throws ArgumentError judge(): nothing was sent
 */
export const dataWaits = claim({
  number: 33,
  section: "Part 3",
  statement: "Data may arrive before accept() and waits in the connection's own buffer.",
  quote: "Data goes to nfd=7's buffer",
  notebook: "02",
  evidence: {
    sent: text("what the client sent before accept()"),
    waiting: count("bytes in the connection's receive buffer before accept()"),
    read: text("what read() gave after accept()"),
  },
  experiment: (once) => once(dataBeforeAccept),
  judge({ sent, waiting, read }) {
    if (sent.length === 0) throw new ArgumentError("Nothing was sent.", "Send something before accept().");
    const measured = `${countOf(waiting, "byte")} waited before accept(), read() then gave ${JSON.stringify(read)}`;
    const kernel = "tcp_data_queue()";
    if (read !== sent || waiting === 0)
      return { verdict: "false", measured, why: "The kernel did not keep the data.", kernel };
    return {
      verdict: "holds",
      measured,
      why: "The socket is complete before accept() and receives data like any other. Only its descriptor is missing.",
      kernel,
    };
  },
});

/** What a connection turns out to be, right after accept(). */
async function kinds() {
  return inLab({ sysctls: { "net.ipv4.tcp_fastopen": 3 } }, async (lab) => {
    const wire = await lab.wire();
    const listener = await lab.listen();
    const [plain, closed, reset] = [wire.peer(listener), wire.peer(listener), wire.peer(listener)];
    for (const peer of [plain, closed, reset]) await peer.handshake();
    closed.fin();
    reset.rst();
    const cases = [];
    for (const name of ["as usual", "the client has sent FIN", "the client has sent RST"])
      cases.push({ name, ...(await describe(listener.tryAccept())) });
    return {
      cases: [...cases, { name: "data came with the SYN (Fast Open)", ...(await describe(await fastOpened(lab))) }],
    };
  });
}

async function describe(connection: Connection | null): Promise<{ state: string; read: string }> {
  if (!connection) return { state: "none", read: "" };
  const state = tcpStates[connection.info().state] ?? "unknown";
  try {
    const data = await connection.read({ timeout: 30 });
    return { state, read: data === null ? "end of stream" : `${data.length} bytes` };
  } catch (error) {
    return { state, read: (error as LabError).code === "ETIMEDOUT" ? "waits for data" : (error as LabError).code };
  } finally {
    await connection.close();
  }
}

/** A connection accepted before its handshake has ended. */
async function fastOpened(lab: Lab): Promise<Connection | null> {
  const listener = await lab.listen({ fastOpen: 16 });
  const wire = await lab.wire();
  const first = wire.peer(listener, { address: "10.7.0.1", port: 40_000 });
  first.syn({ fastOpen: true });
  const answer = await first.receive();
  const cookie = answer.options.find((option) => option.kind === "fastOpen");
  first.rst();
  if (cookie?.kind !== "fastOpen") return null;
  wire.peer(listener, { address: "10.7.0.1", port: 40_001 }).syn({ fastOpen: cookie.cookie, data: "GET /" });
  return listener.tryAccept();
}

/**
 * Claim 34: the state of connections that accept() returns. The experiment accepts a usual one, one after FIN, one
 * after RST, and one of Fast Open before its final ACK. Source: inet_csk_accept().
 * @throws ArgumentError judge(): no connection was accepted
 */
export const readyToUse = claim({
  number: 34,
  section: "Part 3",
  statement: "accept() returns a connection that is ESTABLISHED and ready to use.",
  quote: "Connection in ESTABLISHED state (ready to use)",
  notebook: "02",
  evidence: {
    cases: list("accepted connections", {
      name: text("what had happened to it in the queue"),
      state: text("its state after accept()"),
      read: text("what reading gave"),
    }),
  },
  experiment: (once) => once(kinds),
  judge({ cases }) {
    if (cases.length === 0) throw new ArgumentError("No connection was accepted.", "Accept some connections.");
    const measured = cases.map(({ name, state, read }) => `${name}: ${state}, ${read}`).join("; ");
    const kernel = "inet_csk_accept()";
    const ready = cases.filter(({ state }) => state === "ESTABLISHED").length;
    if (ready === cases.length)
      return { verdict: "holds", measured, why: "All accepted connections were ESTABLISHED.", kernel };
    if (ready === 0) return { verdict: "false", measured, why: "No accepted connection was ESTABLISHED.", kernel };
    return {
      verdict: "depends",
      measured,
      why: "accept() returns the oldest connection, whatever its state is now. The client may have sent FIN or RST in the meantime. With Fast Open the handshake may not even be complete.",
      kernel,
    };
  },
});

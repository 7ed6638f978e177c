/** Claims 9 and 11: the 4-tuple tells connections apart, and their data cannot be mixed. */
import { ArgumentError } from "../errors";
import { native } from "../native";
import type { Lab } from "../front-door";
import type { Listener } from "../listener/listener";
import { claim } from "./claim";
import { count, optional, text } from "./evidence";
import { inLab } from "./experiment";
import { atRest } from "../waiting/until";
import { countOf } from "../wording/number";

const addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];
const clients = 100;

/** Clients from four addresses, each of which sends its own address and port. */
async function introductions() {
  return inLab({ wire: false }, async (lab) => {
    const listener = await lab.listen({ backlog: 2 * clients });
    const crowd = await lab.connect(listener, { clients, from: addresses });
    await atRest(() => [listener.acceptQueue], { quiet: 50 });
    const connections = listener.acceptAll();
    for (let at = 0; at < crowd.length; at++)
      await crowd.send(`${addresses[at % addresses.length]}:${crowd.at(at).localPort}`, [at]);
    let mixed = 0;
    for (const connection of connections) {
      const said = await connection.read({ timeout: 2000 });
      if (said?.toString() !== `${connection.remote.address}:${connection.remote.port}`) mixed += 1;
    }
    const rows = lab.sockets({ port: listener.port, states: ["ESTABLISHED"] });
    const tuples = new Set(
      rows.map(({ local, remote }) => `${local.address}:${local.port} ${remote.address}:${remote.port}`),
    );
    for (const connection of connections) await connection.close();
    return {
      connections: rows.length,
      distinctTuples: tuples.size,
      distinctServerPorts: new Set(rows.map(({ local }) => local.port)).size,
      sameTupleAgain: await connectSameTuple(lab, listener),
      mixed,
    };
  });
}

/** Two sockets bound to one address and port, both connecting to the same listener: what the second connect() gives. */
async function connectSameTuple(lab: Lab, listener: Listener): Promise<string> {
  const sockets = await lab.host.sockets("tcp", 2);
  const [first = -1, second = -1] = sockets; // two were asked for
  try {
    const solSocket = 1;
    const reuseAddress = 2;
    for (const fd of sockets) native.setsockopt(fd, solSocket, reuseAddress, 1);
    native.bind(first, "127.0.0.9", 0);
    native.bind(second, "127.0.0.9", native.getsockname(first).port);
    native.connect(first, "127.0.0.1", listener.port);
    try {
      native.connect(second, "127.0.0.1", listener.port);
      return "connected";
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  } finally {
    await native.closeLater(sockets);
  }
}

/**
 * Claim 9: whether the 4-tuple identifies a connection. The experiment connects 100 clients from four addresses, and
 * tries one 4-tuple a second time. Source: __inet_check_established().
 * @throws ArgumentError judge(): fewer than two connections
 */
export const identity = claim({
  number: 9,
  section: "Part 1",
  statement: "A connection is identified by its 4-tuple: source address and port, destination address and port.",
  quote: "Connection Identified By",
  notebook: "01",
  evidence: {
    connections: count("connections of one listener in the kernel's table"),
    distinctTuples: count("different 4-tuples among them"),
    distinctServerPorts: count("different server ports among them"),
    sameTupleAgain: optional(
      text(
        'what connect() gave for a second connection with the same 4-tuple: an error, or "connected"',
        /^(E[A-Z]+|connected)$/,
      ),
    ),
  },
  experiment: (once) => once(introductions),
  judge({ connections, distinctTuples, distinctServerPorts, sameTupleAgain }) {
    if (connections < 2) throw new ArgumentError("At least two connections are needed.", "Connect more clients.");
    const second = sameTupleAgain === undefined ? "" : `; the same 4-tuple a second time: ${sameTupleAgain}`;
    const measured = `${countOf(connections, "connection")}, ${countOf(distinctServerPorts, "server port")}, ${countOf(distinctTuples, "4-tuple")}${second}`;
    const kernel = "__inet_check_established()";
    if (distinctTuples < connections)
      return { verdict: "false", measured, why: "Two connections had the same 4-tuple.", kernel };
    if (sameTupleAgain === "connected")
      return {
        verdict: "false",
        measured,
        why: "The kernel gave a second connection a 4-tuple that was in use.",
        kernel,
      };
    return {
      verdict: "holds",
      measured,
      why: "connect() looks up the 4-tuple in the connection table and does not use one that an open connection has. The kernel also compares the network namespace and the bound device.",
      kernel,
    };
  },
});

/**
 * Claim 11: whether each connection receives the data of its own client only. The experiment is that of claim 9; each
 * client sends its address and port. Source: __inet_lookup_established().
 * @throws ArgumentError judge(): fewer than two connections
 */
export const unmixed = claim({
  number: 11,
  section: "Part 1",
  statement: "Data of different connections cannot be mixed up.",
  quote: "No confusion, no mixing of data",
  notebook: "01",
  evidence: {
    connections: count("connections whose client sent its own address and port"),
    mixed: count("connections on which other data was read"),
  },
  experiment: (once) => once(introductions),
  judge({ connections, mixed }) {
    if (connections < 2) throw new ArgumentError("At least two connections are needed.", "Connect more clients.");
    const measured = `${countOf(connections, "connection")}, ${mixed} with data of another connection`;
    const kernel = "__inet_lookup_established()";
    if (mixed > 0)
      return {
        verdict: "false",
        measured,
        why: "Data of one connection arrived at the socket of another one.",
        kernel,
      };
    return {
      verdict: "holds",
      measured,
      why: "The kernel queues each segment on the socket whose addresses and ports match those of the segment, and on no other.",
      kernel,
    };
  },
});

/** Claim 1: one listening socket serves thousands of connections. Notebook 08 opens a million. */
import { ArgumentError, LimitError } from "../errors";
import { claim } from "./claim";
import { count, optional } from "./evidence";
import { clientsWithin, inLab } from "./experiment";
import { atRest } from "../waiting/until";
import { countOf } from "../wording/number";

const thousands = 2000;
const asked = 2500;

/** The clients are ghosts: only the accepted ends need descriptors of this process. */
async function crowdAccepted() {
  const clients = clientsWithin(asked);
  if (clients < thousands)
    throw new LimitError(
      `${thousands} accepted connections need ${thousands} descriptors, and this process has ${clients} left.`,
      "Raise the limit first: `ulimit -Hn`.",
    );
  return inLab({}, async (lab) => {
    const listener = await lab.listen({ backlog: 4096 });
    const loop = listener.acceptLoop();
    await (await lab.ghosts(listener, { count: clients })).finished();
    await atRest(() => [loop.accepted, listener.acceptQueue]);
    const rows = lab.sockets({ port: listener.port });
    const connections = rows.filter((row) => row.state === "ESTABLISHED" && row.inode !== 0).length;
    const listeners = rows.filter((row) => row.state === "LISTEN").length;
    await loop.close();
    return { listeners, connections, clients };
  });
}

/**
 * Claim 1: thousands of connections over one listener. The experiment accepts 2,500 ghosts, or fails with a LimitError
 * if this process has not 2,000 descriptors left. Source: inet_csk_accept().
 * @throws ArgumentError judge(): fewer than 2,000 clients
 */
export const thousandsOfConnections = claim({
  number: 1,
  section: "Overview",
  statement: "One listening socket can serve thousands of connections at once, even millions.",
  quote: "thousands (even millions) of concurrent connections",
  notebook: "01",
  evidence: {
    listeners: count("listening sockets on the port"),
    connections: count("connections accepted and open at the same time"),
    clients: optional(count("clients that connected")),
  },
  experiment: (once) => once(crowdAccepted),
  judge({ listeners, connections, clients }) {
    if (clients !== undefined && clients < thousands)
      throw new ArgumentError(`${countOf(clients, "client")} cannot show thousands.`, `Connect at least ${thousands}.`);
    const measured = `${countOf(listeners, "listening socket")}, ${countOf(connections, "connection")} open at once${clients === undefined ? "" : ` of ${countOf(clients, "client")}`}`;
    const kernel = "inet_csk_accept()";
    if (listeners !== 1)
      return { verdict: "false", measured, why: "The port did not have exactly one listening socket.", kernel };
    if (connections < thousands)
      return {
        verdict: "false",
        measured,
        why: `One listening socket did not reach ${thousands} connections.`,
        kernel,
      };
    return {
      verdict: "holds",
      measured,
      why: "Each accepted connection is a socket of its own, and the listener stores nothing for it. This experiment opens thousands; notebook 08 opens a million.",
      kernel,
    };
  },
});

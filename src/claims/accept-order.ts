/** Claim 7: accept() takes from the accept queue, first in, first out. */
import { ArgumentError } from "../errors";
import { claim } from "./claim";
import { count, numbers, optional } from "./evidence";
import { inLab } from "./experiment";
import { atRest } from "../waiting/until";
import { countOf } from "../wording/number";

const clients = 100;

async function oneAfterTheOther() {
  return inLab({ wire: false }, async (lab) => {
    const listener = await lab.listen({ backlog: 2 * clients });
    const queue = await lab.connect(listener, { clients, rate: 2000 });
    await atRest(() => [listener.acceptQueue], { quiet: 50 });
    const completed = Array.from({ length: queue.length }, (_, at) => queue.at(at).localPort);
    const connections = listener.acceptAll({ limit: clients - 10 });
    const accepted = connections.map((connection) => connection.remote.port);
    const left = listener.acceptQueue;
    for (const connection of connections) await connection.close();
    return { completed, accepted, left };
  });
}

/**
 * Claim 7: the order of accept(). The experiment connects 100 clients, accepts 90 of them, and compares the ports in
 * both orders. Source: reqsk_queue_remove().
 * @throws ArgumentError judge(): an accepted port is not among the clients' ports
 */
export const acceptOrder = claim({
  number: 7,
  section: "Part 1",
  statement: "accept() removes connections from the accept queue in the order in which their handshakes completed.",
  quote: "Accept() removes",
  notebook: "03",
  evidence: {
    completed: numbers("the clients' ports, in the order in which their handshakes completed"),
    accepted: numbers("the clients' ports, in the order in which accept() gave them"),
    left: optional(count("connections still in the queue afterwards")),
  },
  experiment: (once) => once(oneAfterTheOther),
  judge({ completed, accepted, left }) {
    const unknownPorts = accepted.filter((port) => !completed.includes(port)).length;
    if (unknownPorts > 0)
      throw new ArgumentError(
        `${countOf(unknownPorts, "accepted connection")} came from no port in "completed".`,
        "Give the same clients in both.",
      );
    const displaced = accepted.filter((port, at) => port !== completed[at]).length;
    const expected = completed.length - accepted.length;
    const measured = `${accepted.length} of ${completed.length} accepted, ${displaced} out of order${left === undefined ? "" : `, ${left} left in the queue`}`;
    const kernel = "reqsk_queue_remove()";
    if (displaced > 0)
      return {
        verdict: "false",
        measured,
        why: "accept() did not take the connection that had waited longest.",
        kernel,
      };
    if (left !== undefined && left !== expected)
      return { verdict: "false", measured, why: `${expected} connections should have been left in the queue.`, kernel };
    return {
      verdict: "holds",
      measured,
      why: "The accept queue is a linked list. inet_csk_reqsk_queue_add() appends a connection at its tail, and accept() takes one from its head.",
      kernel,
    };
  },
});

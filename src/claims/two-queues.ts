/** Claim 4: two queues for each listener. */
import { ArgumentError } from "../errors";
import { claim } from "./claim";
import { count, group } from "./evidence";
import { inLab } from "./experiment";
import { atRest } from "../waiting/until";

const deferred = 10;

/** TCP_DEFER_ACCEPT keeps a connection in the SYN queue until its first data, which leaves time to read the queues. */
async function frozenHandshakes() {
  return inLab({ wire: false }, async (lab) => {
    const listener = await lab.listen({ backlog: 64, deferAccept: 5 });
    const depths = () => ({ synQueue: listener.synQueue, acceptQueue: listener.acceptQueue });
    const quiet = await lab.connect(listener, { clients: deferred });
    await atRest(() => Object.values(depths()), { quiet: 50 });
    const before = depths();
    await quiet.send("now");
    await atRest(() => Object.values(depths()), { quiet: 100 });
    return { before, after: depths(), clients: deferred };
  });
}

const depths = { synQueue: count("requests in SYN_RECV"), acceptQueue: count("connections that wait for accept()") };

/**
 * Claim 4: whether connections pass two queues. The experiment holds 10 handshakes in the first with TCP_DEFER_ACCEPT
 * (tcp(7)). Source: inet_csk_reqsk_queue_hash_add().
 * @throws ArgumentError judge(): no clients
 */
export const twoQueues = claim({
  number: 4,
  section: "Part 1",
  statement:
    "The kernel keeps two queues for each listening socket: one for handshakes in progress, one for connections that wait for accept().",
  quote: "two separate queues",
  notebook: "03",
  evidence: {
    before: group("the queues while the handshakes were in progress", depths),
    after: group("the queues when they had completed", depths),
    clients: count("how many clients there were"),
  },
  experiment: (once) => once(frozenHandshakes),
  judge({ before, after, clients }) {
    if (clients === 0) throw new ArgumentError("Without clients both queues are empty.", "Connect some clients.");
    const measured = `SYN queue ${before.synQueue}, accept queue ${before.acceptQueue} during ${clients} handshakes; ${after.synQueue} and ${after.acceptQueue} after them`;
    const first = before.synQueue === clients && before.acceptQueue === 0;
    const second = after.synQueue === 0 && after.acceptQueue === clients;
    const kernel = "inet_csk_reqsk_queue_hash_add()";
    if (first && second) {
      return {
        verdict: "holds",
        measured,
        why: "There are two stages but only one list. The accept queue is a linked list in the listener. Half-open requests are in the hash table of all connections, and the listener only counts them.",
        kernel,
      };
    }
    return {
      verdict: "false",
      measured,
      why: `Two stages would have shown ${clients} in the first and 0 in the second, then 0 and ${clients}.`,
      kernel,
    };
  },
});

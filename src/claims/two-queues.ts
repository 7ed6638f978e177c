/** Claim 4: two queues for each listener. */
import { ArgumentError } from "../errors";
import { claim } from "./claim";
import { count, group } from "./evidence";
import { inLab } from "./experiment";
import { atRest } from "../waiting/until";

const clients = 10;

/** TCP_DEFER_ACCEPT leaves a connection in the first stage until its first data: time enough to look. */
async function frozenHandshakes() {
  return inLab({ wire: false }, async (lab) => {
    const listener = await lab.listen({ backlog: 64, deferAccept: 5 });
    const depths = () => ({ synQueue: listener.synQueue, acceptQueue: listener.acceptQueue });
    const quiet = await lab.connect(listener, { clients });
    await atRest(() => Object.values(depths()), { quiet: 50 });
    const before = depths();
    await quiet.send("now");
    await atRest(() => Object.values(depths()), { quiet: 100 });
    return { before, after: depths(), clients };
  });
}

const depths = { synQueue: count("requests in SYN_RECV"), acceptQueue: count("connections that wait for accept()") };

export const twoQueues = claim({
  number: 4,
  section: "Part 1",
  statement:
    "The kernel keeps two queues for each listening socket: one for handshakes under way, one for connections that wait for accept().",
  quote: "two separate queues",
  notebook: "03",
  evidence: {
    before: group("the queues while the handshakes were under way", depths),
    after: group("the queues when they had completed", depths),
    clients: count("how many clients there were"),
  },
  experiment: (once) => once(frozenHandshakes),
  judge({ before, after, clients }) {
    if (clients === 0)
      throw new ArgumentError("Without clients there is nothing to see in any queue.", "Connect some.");
    const measured = `SYN queue ${before.synQueue}, accept queue ${before.acceptQueue} during ${clients} handshakes; ${after.synQueue} and ${after.acceptQueue} after them`;
    const first = before.synQueue === clients && before.acceptQueue === 0;
    const second = after.synQueue === 0 && after.acceptQueue === clients;
    const kernel = "inet_csk_reqsk_queue_hash_add()";
    if (first && second) {
      return {
        verdict: "holds",
        measured,
        why: "In effect. The accept queue is a list in the listener; the SYN queue is none: its requests lie in the table of all connections, and the listener keeps only their count.",
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

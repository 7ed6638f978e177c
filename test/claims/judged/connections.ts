/** Judges of the claims about what a listener is, and what becomes of each of its connections. */
import { undecidable, verdicts } from "../judging";

const flat = { buckets: 16384, connections: [100, 400, 1600], microseconds: [10, 10.4, 11] };
const linear = { buckets: 1, connections: [100, 400, 1600], microseconds: [10, 17, 50] };
const fine = { name: "as usual", state: "ESTABLISHED", read: "waits for data" };
const reset = { name: "reset", state: "CLOSE", read: "ECONNRESET" };
const counted = { connections: 700, netstat: 700, diag: 700, lsof: 700, netstatMs: 3, diagMs: 1, lsofMs: 30 };

describe("judges of claims", () => {
  verdicts(1, [
    ["holds", { listeners: 1, connections: 5000 }, "thousands over one listener"],
    ["false", { listeners: 1, connections: 900, clients: 5000 }, "it stops below"],
    ["false", { listeners: 4, connections: 5000 }, "it takes four listeners"],
  ]);
  verdicts(2, [
    [
      "holds",
      { listenerDescriptors: 1, connections: 100, distinctDescriptors: 100, descriptorsBeforeAccept: 0 },
      "one each",
    ],
    ["false", { listenerDescriptors: 2, connections: 100, distinctDescriptors: 100 }, "two for the listener"],
    ["false", { listenerDescriptors: 1, connections: 100, distinctDescriptors: 99 }, "a shared one"],
  ]);
  verdicts(3, [
    ["holds", { read: "ENOTCONN", write: "EPIPE" }, "both fail"],
    ["holds", { read: "0 bytes", write: "-1 bytes", onConnection: 5 }, "nothing goes through"],
    ["false", { read: "5 bytes", write: "EPIPE" }, "it can be read"],
    ["false", { read: "ENOTCONN", write: "16 bytes" }, "it can be written"],
  ]);
  verdicts(7, [
    ["holds", { completed: [5, 3, 9], accepted: [5, 3], left: 1 }, "the first two"],
    ["false", { completed: [5, 3, 9], accepted: [9, 3, 5] }, "last in, first out"],
    ["false", { completed: [5, 3, 9], accepted: [5, 3], left: 3 }, "they stay in the queue"],
  ]);
  verdicts(9, [
    [
      "holds",
      { connections: 200, distinctTuples: 200, distinctServerPorts: 1, sameTupleAgain: "EADDRNOTAVAIL" },
      "all different, and no second one",
    ],
    ["false", { connections: 200, distinctTuples: 199, distinctServerPorts: 1 }, "two alike"],
    [
      "false",
      { connections: 200, distinctTuples: 200, distinctServerPorts: 1, sameTupleAgain: "connected" },
      "a second one",
    ],
  ]);
  verdicts(10, [
    ["holds", { roomy: flat }, "constant"],
    ["holds", { roomy: flat, tiny: linear }, "constant where there is room"],
    ["false", { roomy: linear, tiny: linear }, "it grows even with room"],
    ["holds", { roomy: flat, others: 0.8 }, "constant, on a busy machine"],
    ["undecided", { roomy: linear, others: 0.8 }, "it grows, on a busy machine"],
  ]);
  verdicts(11, [
    ["holds", { connections: 100, mixed: 0 }, "each its own"],
    ["false", { connections: 100, mixed: 2 }, "two swapped"],
  ]);
  verdicts(31, [
    [
      "holds",
      { blocked: 60, woke: 0.2, descriptor: 26, returned: "10.2.0.1:40000", client: "10.2.0.1:40000" },
      "woken",
    ],
    [
      "false",
      { blocked: 60, woke: 0.2, descriptor: 26, returned: "10.2.0.2:40000", client: "10.2.0.1:40000" },
      "somebody else's",
    ],
  ]);
  verdicts(33, [
    ["holds", { sent: "GET /", waiting: 5, read: "GET /" }, "kept"],
    ["false", { sent: "GET /", waiting: 0, read: "" }, "lost"],
  ]);
  verdicts(34, [
    ["holds", { cases: [fine] }, "all of them"],
    ["depends", { cases: [fine, reset] }, "some of them"],
    ["false", { cases: [reset] }, "none of them"],
  ]);
  verdicts(61, [
    ["holds", counted, "both right"],
    ["depends", { ...counted, netstat: 1400 }, "netstat counts both ends"],
    ["false", { ...counted, lsof: 12 }, "lsof counts too few"],
  ]);

  describe("refuse evidence that cannot decide", () => {
    undecidable(
      1,
      { listeners: 1, connections: 50, clients: 50 },
      "50 clients cannot show thousands.",
      "Connect at least 2000.",
    );
    undecidable(
      2,
      { listenerDescriptors: 1, connections: 0, distinctDescriptors: 0 },
      "No connection was accepted.",
      "Connect clients and accept them first.",
    );
    undecidable(
      7,
      { completed: [1, 2], accepted: [1, 7] },
      '1 accepted connection came from no port in "completed".',
      "Give the same clients in both.",
    );
    undecidable(
      9,
      { connections: 1, distinctTuples: 1, distinctServerPorts: 1 },
      "At least two connections are needed.",
      "Connect more clients.",
    );
    undecidable(
      10,
      { roomy: { ...flat, connections: [100, 110, 120] } },
      "The number of connections must grow at least fourfold, or noise decides.",
      "Measure with more connections.",
    );
    undecidable(
      10,
      { roomy: { ...flat, microseconds: [1, 2] } },
      "There must be as many times as numbers of connections.",
      "Give one time for each number.",
    );
    undecidable(11, { connections: 1, mixed: 0 }, "At least two connections are needed.", "Connect more clients.");
    undecidable(33, { sent: "", waiting: 0, read: "" }, "Nothing was sent.", "Send something before accept().");
    undecidable(34, { cases: [] }, "No connection was accepted.", "Accept some connections.");
    undecidable(61, { ...counted, connections: 0 }, "There was nothing to count.", "Accept some connections.");
  });
});

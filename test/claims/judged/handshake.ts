/** Judges of the claims about the handshake, step by step. */
import { undecidable, verdicts } from "../judging";

const synAck = { clientSequence: 2 ** 32 - 1, acknowledged: 0, handshakes: 5, distinctNumbers: 5, window: 65_160 };
const smallSyn = { inSyn: 3, inAck: 65_535, written: 10, sent: 10 };
const smallAck = { inSyn: 65_535, inAck: 3, written: 10, sent: 0 };
const entry = {
  client: "10.2.0.1:40000",
  shown: "10.2.0.1:40000",
  state: "SYN_RECV",
  wrongAckAccepted: 0,
  rightAckAccepted: 1,
  windows: [smallSyn, smallAck],
};

describe("judges of claims", () => {
  verdicts(24, [
    ["holds", { noticesBeforeAck: 0, noticesAfterAck: 1 }, "nothing before the ACK"],
    ["false", { noticesBeforeAck: 1, noticesAfterAck: 1 }, "told too early"],
  ]);
  verdicts(25, [
    ["holds", { entries: 1, descriptorsMade: 0, notices: 0, entriesWithCookies: 0 }, "one entry"],
    ["false", { entries: 1, descriptorsMade: 1, notices: 0 }, "a descriptor as well"],
    ["false", { entries: 0, descriptorsMade: 0, notices: 0 }, "no entry"],
  ]);
  verdicts(26, [
    ["holds", synAck, "plus one wraps around, numbers differ"],
    ["false", { ...synAck, acknowledged: 1 }, "plus two"],
    ["false", { ...synAck, distinctNumbers: 1 }, "always the same number"],
    ["false", { ...synAck, window: 0 }, "no window"],
  ]);
  verdicts(27, [
    ["depends", entry, "shown and checked, and the window is the ACK's"],
    [
      "holds",
      {
        ...entry,
        windows: [
          { ...smallSyn, sent: 0 },
          { ...smallAck, sent: 10 },
        ],
      },
      "the window is the SYN's",
    ],
    ["false", { ...entry, shown: "nothing" }, "not shown"],
    ["false", { ...entry, wrongAckAccepted: 1 }, "numbers not checked"],
  ]);
  verdicts(28, [
    ["false", { descriptorsAtAck: 0, descriptorsAtAccept: 1 }, "at accept()"],
    ["holds", { descriptorsAtAck: 1, descriptorsAtAccept: 0 }, "at the ACK"],
  ]);
  verdicts(30, [
    ["holds", { stateAfterAck: "ESTABLISHED", queuedAfterAck: 1 }, "with room"],
    [
      "depends",
      { stateAfterAck: "ESTABLISHED", queuedAfterAck: 1, whenFull: { state: "SYN_RECV", overflows: 1 } },
      "without room it stays",
    ],
    ["false", { stateAfterAck: "SYN_RECV", queuedAfterAck: 0 }, "not even with room"],
  ]);
  verdicts(32, [
    ["false", { loopback: 0.02, rtt: 40, overWire: 40.2 }, "the round trip, whatever it is"],
    ["depends", { loopback: 0.02, rtt: 5, overWire: 5.1 }, "one of the two"],
    ["holds", { loopback: 1.2, rtt: 5, overWire: 5.1 }, "both"],
    ["false", { loopback: 0.02, rtt: 40, overWire: 42, others: 0.8 }, "neither, on a busy machine"],
    ["undecided", { loopback: 1.2, rtt: 40, overWire: 42, others: 0.8 }, "one of the two, on a busy machine"],
  ]);
  verdicts(35, [
    ["holds", { handshakes: 2000, completed: 2000, acceptCalls: 0 }, "all without it"],
    ["false", { handshakes: 2000, completed: 1999, acceptCalls: 0 }, "one waits"],
    ["false", { handshakes: 2000, completed: 1999, acceptCalls: 0, acknowledged: 2000 }, "one waits after its ACK"],
    [
      "undecided",
      { handshakes: 2000, completed: 707, acceptCalls: 0, acknowledged: 707 },
      "the clients themselves have not come further",
    ],
  ]);
  verdicts(36, [
    ["holds", { handshakes: 4000, switches: 1 }, "it slept"],
    ["false", { handshakes: 4000, switches: 4000 }, "woken each time"],
  ]);

  describe("refuse evidence that cannot decide", () => {
    undecidable(
      24,
      { noticesBeforeAck: 0, noticesAfterAck: 0 },
      "The listener was not readable after the final ACK either.",
      "Let the handshake complete first.",
    );
    undecidable(
      26,
      { ...synAck, handshakes: 1, distinctNumbers: 1 },
      "One sequence number does not show whether it is random.",
      "Compare several SYN-ACKs.",
    );
    undecidable(
      27,
      {
        ...entry,
        windows: [
          { ...smallSyn, sent: 0 },
          { ...smallAck, sent: 0 },
        ],
      },
      "What was sent follows neither window.",
      "Look again after some ms: was the connection accepted, and written to?",
    );
    undecidable(
      27,
      { ...entry, windows: [{ inSyn: 65_535, inAck: 1000, written: 10, sent: 10 }] },
      "No client shows which window counts.",
      "Let one announce a small window in its SYN or its ACK, and a large one in the other; write more than the small one.",
    );
    undecidable(
      28,
      { descriptorsAtAck: 0, descriptorsAtAccept: 0 },
      "No descriptor was made at all.",
      "Let a handshake complete, and accept it.",
    );
    undecidable(
      35,
      { handshakes: 1, completed: 1, acceptCalls: 0 },
      "One handshake is not in parallel with another one.",
      "Let more begin.",
    );
    undecidable(36, { handshakes: 3, switches: 0 }, "3 handshakes are too few.", "Let some hundred complete.");
  });
});

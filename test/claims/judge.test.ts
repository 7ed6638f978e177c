import assert from "node:assert/strict";
import { ArgumentError } from "../../dist/errors";
import { claims, judge, type ClaimNumber, type EvidenceOf } from "../../dist/claims/registry";

type Verdict = "holds" | "false" | "depends";

/** The judge must follow the evidence, whichever way it points. */
function verdicts<N extends ClaimNumber>(number: N, expected: [Verdict, EvidenceOf<N>, string][]): void {
  tried.add(number);
  describe(`claim ${number}`, () => {
    for (const [verdict, evidence, when] of expected) {
      it(`${verdict}: ${when}`, () => {
        const decision = judge(number, evidence);
        assert.equal(decision.verdict, verdict, `${decision.measured} (${decision.why})`);
        assert.ok(decision.measured && decision.why.endsWith("."));
        assert.match(decision.kernel, /^\w+\(\)$/);
        assert.deepEqual(decision.evidence, evidence);
      });
    }
  });
}

function undecidable<N extends ClaimNumber>(number: N, evidence: EvidenceOf<N>, message: string, hint: string): void {
  it(`claim ${number}: ${message}`, () => {
    assert.throws(
      () => judge(number, evidence),
      (error: Error) => {
        assert.ok(error instanceof ArgumentError, String(error));
        assert.deepEqual([error.message, error.hint], [message, hint]);
        return true;
      },
    );
  });
}

const tried = new Set<number>();

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
  verdicts(4, [
    [
      "holds",
      { before: { synQueue: 10, acceptQueue: 0 }, after: { synQueue: 0, acceptQueue: 10 }, clients: 10 },
      "one stage after the other",
    ],
    [
      "false",
      { before: { synQueue: 0, acceptQueue: 10 }, after: { synQueue: 0, acceptQueue: 10 }, clients: 10 },
      "no first stage",
    ],
    [
      "false",
      { before: { synQueue: 10, acceptQueue: 0 }, after: { synQueue: 10, acceptQueue: 0 }, clients: 10 },
      "nothing moves on",
    ],
  ]);
  verdicts(6, [
    ["holds", { backlog: 128, somaxconn: 4096, waiting: 128 }, "exactly the backlog"],
    ["false", { backlog: 128, somaxconn: 4096, waiting: 129, cookies: 1 }, "one more"],
    ["false", { backlog: 5000, somaxconn: 4096, waiting: 4097 }, "cut down to somaxconn"],
    ["false", { backlog: -1, somaxconn: 4096, waiting: 4097 }, "minus one"],
    ["false", { backlog: 128, somaxconn: 4096, waiting: 64 }, "half of it"],
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
  const flat = { buckets: 16384, connections: [100, 400, 1600], microseconds: [10, 10.4, 11] };
  const linear = { buckets: 1, connections: [100, 400, 1600], microseconds: [10, 17, 50] };
  verdicts(10, [
    ["holds", { roomy: flat }, "constant"],
    ["holds", { roomy: flat, tiny: linear }, "constant where there is room"],
    ["false", { roomy: linear, tiny: linear }, "it grows even with room"],
  ]);
  verdicts(11, [
    ["holds", { connections: 100, mixed: 0 }, "each its own"],
    ["false", { connections: 100, mixed: 2 }, "two swapped"],
  ]);
  verdicts(12, [
    ["holds", { backlog: 128, clients: 200, waiting: 129, open: 330 }, "the queue is bounded, connections are not"],
    ["false", { backlog: 128, clients: 200, waiting: 200, open: 330 }, "the queue is not bounded"],
    ["false", { backlog: 128, clients: 200, waiting: 128, open: 128, established: 128 }, "everything is bounded"],
  ]);
  verdicts(13, [
    ["holds", { backlog: 128, clients: 200, synQueue: 71, dropped: 0 }, "all in"],
    ["false", { backlog: 128, clients: 200, synQueue: 0, dropped: 71 }, "71 dropped"],
    [
      "false",
      { backlog: 128, clients: 200, synQueue: 129, dropped: 0, cookiesSent: 71, cookies: 1 },
      "71 got a cookie",
    ],
  ]);
  verdicts(14, [
    ["holds", { backlog: 128, waiting: 128 }, "128 of 128"],
    ["false", { backlog: 128, waiting: 129 }, "129"],
    ["false", { backlog: 128, waiting: 100 }, "100"],
  ]);
  const stays = { cookies: 0, clients: 20, believe: 20, queued: 6, synQueueWhileFull: 14 };
  const phantoms = { cookies: 1, clients: 20, believe: 20, queued: 6, synQueueWhileFull: 0 };
  verdicts(15, [
    ["holds", stays, "the surplus is connected and in the SYN queue"],
    ["false", phantoms, "phantoms"],
    ["false", { ...phantoms, cookies: 0, believe: 6 }, "dropped SYNs"],
    ["false", { ...stays, resent: 14 }, "requests that the server takes for unfinished"],
    ["depends", { ...phantoms, others: [stays] }, "one way and the other"],
  ]);
  verdicts(16, [
    ["holds", { emptyFor: 0.4, outside: 71 }, "at once"],
    ["false", { emptyFor: 930, outside: 71, cookies: 1 }, "at the next resend"],
    ["false", { emptyFor: Infinity, outside: 71 }, "never"],
  ]);
  verdicts(17, [
    ["holds", { refused: 0, abortOnOverflow: 0 }, "nobody"],
    ["depends", { refused: 0, abortOnOverflow: 0, refusedWithAbort: 3 }, "only where the sysctl says so"],
    ["depends", { refused: 14, abortOnOverflow: 1 }, "the sysctl said so"],
    ["false", { refused: 71, abortOnOverflow: 0 }, "all of the surplus"],
  ]);
  verdicts(18, [
    ["holds", { cookies: 1, drops: 0, believe: 20, queued: 6 }, "nothing dropped"],
    ["false", { cookies: 1, drops: 14, believe: 20, queued: 6 }, "final ACKs dropped"],
    ["false", { cookies: 0, drops: 14, believe: 6, queued: 6 }, "SYNs dropped"],
    [
      "depends",
      { cookies: 1, drops: 14, believe: 20, queued: 6, others: [{ cookies: 0, drops: 0, believe: 20, queued: 6 }] },
      "with cookies only",
    ],
  ]);
  verdicts(19, [
    ["holds", { clients: 20, accepted: 20 }, "all"],
    ["false", { clients: 20, accepted: 6, believe: 20, trying: 0 }, "phantoms"],
    ["depends", { clients: 20, accepted: 12, believe: 12, trying: 8 }, "the rest still tries"],
  ]);
  const refusing = { clients: 20, refused: 14 };
  const silent = { clients: 20, refused: 0 };
  verdicts(20, [
    ["holds", { synQueueFull: refusing, slowApplication: refusing, noDescriptors: refusing }, "all three refuse"],
    [
      "false",
      {
        synQueueFull: silent,
        slowApplication: { ...silent, timedOut: 4 },
        noDescriptors: { ...silent, closed: 9 },
        otherwise: refusing,
      },
      "none of the three does",
    ],
    ["depends", { synQueueFull: silent, slowApplication: silent, noDescriptors: refusing }, "one does"],
    [
      "depends",
      { synQueueFull: refusing, slowApplication: refusing, noDescriptors: refusing, otherwise: refusing },
      "something else does as well",
    ],
  ]);
  verdicts(21, [
    [
      "holds",
      { backlog: 128, synQueue: 2048, softDescriptors: 1024, memoryPerConnection: 135_000 },
      "as the text has it",
    ],
    [
      "false",
      { backlog: 128, synQueue: 2048, softDescriptors: 1024, memoryPerConnection: 3000, buffersPerConnection: 0 },
      "3 KB a connection",
    ],
    [
      "depends",
      { backlog: 128, synQueue: 129, softDescriptors: 1024, memoryPerConnection: 135_000 },
      "another SYN queue",
    ],
  ]);
  verdicts(23, [
    ["holds", { halfOpen: 3, resetAtTimeout: 3 }, "all are told"],
    [
      "false",
      { halfOpen: 3, resetAtTimeout: 0, resetAtData: 3, queued: 6, queuedReset: 0, waited: 1200 },
      "nobody is told",
    ],
    ["depends", { halfOpen: 3, resetAtTimeout: 1 }, "one of three"],
  ]);
  verdicts(40, [
    ["holds", { backlog: 128, clients: 1400, waiting: 129, synQueue: 1024 }, "1024 in the SYN queue"],
    ["false", { backlog: 128, clients: 1400, waiting: 129, synQueue: 128, cookies: 1 }, "128 in the SYN queue"],
  ]);
  verdicts(43, [
    ["holds", { somaxconn: 4096 }, "4096"],
    ["holds", { somaxconn: 128 }, "128"],
    ["false", { somaxconn: 65535 }, "65535"],
  ]);
  verdicts(45, [
    ["holds", { recvQ: 45, sendQ: 128, acceptQueue: 45, acceptMax: 128 }, "both as the text says"],
    ["false", { recvQ: 0, sendQ: 128, acceptQueue: 45, acceptMax: 128 }, "Recv-Q is something else"],
    ["false", { recvQ: 45, sendQ: 0, acceptQueue: 45, acceptMax: 128 }, "Send-Q is something else"],
  ]);

  const bound = { backlog: 128, somaxconn: 4096, maxSynBacklog: 4096, cookies: 1, syns: 3000, synQueue: 129 };
  verdicts(5, [
    ["false", { rows: [bound, { ...bound, backlog: 512, synQueue: 513 }] }, "it follows the backlog"],
    [
      "holds",
      {
        rows: [
          { ...bound, synQueue: 1024 },
          { ...bound, backlog: 512, synQueue: 1024 },
        ],
      },
      "1024 whatever the backlog",
    ],
  ]);
  const wide = { backlog: 2000, somaxconn: 4096, maxSynBacklog: 256, cookies: 0, syns: 3000, synQueue: 193 };
  verdicts(48, [
    [
      "depends",
      { rows: [bound, wide, { ...wide, cookies: 1, synQueue: 2001 }] },
      "three quarters of it, and only without cookies",
    ],
    ["holds", { rows: [{ ...wide, synQueue: 257 }] }, "it is the bound"],
    ["false", { rows: [{ ...wide, synQueue: 2001 }] }, "it bounds nothing"],
  ]);
  verdicts(24, [
    ["holds", { noticesBeforeAck: 0, noticesAfterAck: 1 }, "nothing before the ACK"],
    ["false", { noticesBeforeAck: 1, noticesAfterAck: 1 }, "told too early"],
  ]);
  verdicts(25, [
    ["holds", { entries: 1, descriptorsMade: 0, notices: 0, entriesWithCookies: 0 }, "one entry"],
    ["false", { entries: 1, descriptorsMade: 1, notices: 0 }, "a descriptor as well"],
    ["false", { entries: 0, descriptorsMade: 0, notices: 0 }, "no entry"],
  ]);
  const synAck = { clientSequence: 2 ** 32 - 1, acknowledged: 0, handshakes: 5, distinctNumbers: 5, window: 65_160 };
  verdicts(26, [
    ["holds", synAck, "plus one wraps around, numbers differ"],
    ["false", { ...synAck, acknowledged: 1 }, "plus two"],
    ["false", { ...synAck, distinctNumbers: 1 }, "always the same number"],
    ["false", { ...synAck, window: 0 }, "no window"],
  ]);
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
  verdicts(29, [
    ["false", { connections: 20_000, bytesEach: 2850, buffersEach: 0 }, "a socket and no buffers"],
    ["holds", { connections: 20_000, bytesEach: 3000, buffersEach: 131_072 }, "all of it"],
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
  verdicts(32, [
    ["false", { loopback: 0.02, rtt: 40, overWire: 40.2 }, "the round trip, whatever it is"],
    ["depends", { loopback: 0.02, rtt: 5, overWire: 5.1 }, "one of the two"],
    ["holds", { loopback: 1.2, rtt: 5, overWire: 5.1 }, "both"],
  ]);
  verdicts(33, [
    ["holds", { sent: "GET /", waiting: 5, read: "GET /" }, "kept"],
    ["false", { sent: "GET /", waiting: 0, read: "" }, "lost"],
  ]);
  const fine = { name: "as usual", state: "ESTABLISHED", read: "waits for data" };
  const reset = { name: "reset", state: "CLOSE", read: "ECONNRESET" };
  verdicts(34, [
    ["holds", { cases: [fine] }, "all of them"],
    ["depends", { cases: [fine, reset] }, "some of them"],
    ["false", { cases: [reset] }, "none of them"],
  ]);
  verdicts(35, [
    ["holds", { handshakes: 2000, completed: 2000, acceptCalls: 0 }, "all without it"],
    ["false", { handshakes: 2000, completed: 1999, acceptCalls: 0 }, "one waits"],
  ]);
  const cookies = { syns: 50_000, cookiesSent: 50_000, entries: 0, bytes: 0 };
  verdicts(37, [
    [
      "holds",
      { withCookies: cookies, remembered: { ...cookies, cookiesSent: 0, entries: 50_000, bytes: 17e6 } },
      "nothing grows",
    ],
    ["false", { withCookies: { ...cookies, bytes: 17e6 } }, "it grows all the same"],
  ]);
  verdicts(56, [
    ["holds", { withCookies: cookies }, "never queued"],
    [
      "holds",
      { withCookies: { ...cookies, cookiesSent: 49_871, entries: 129 } },
      "only those without a cookie are queued",
    ],
    ["false", { withCookies: { ...cookies, entries: 129 } }, "queued as well"],
  ]);
  verdicts(38, [
    ["false", { syns: 50_000, reached: 50_000, answered: 50_000, rate: 2e5 }, "all answered"],
    ["holds", { syns: 50_000, reached: 50_000, answered: 1000, rate: 2e5, cookies: 1 }, "most are not"],
  ]);
  verdicts(39, [
    ["holds", { tool: "nft", syns: 1000, answered: 0, entries: 0, reached: 0 }, "dropped before TCP"],
    ["false", { tool: "nft", syns: 1000, answered: 1000, entries: 129, reached: 1000 }, "the rule does nothing"],
  ]);
  const flooded = { cookies: 0, flood: 100_000, clients: 100, connected: 0, synQueue: 129, cookiesSent: 0 };
  const calm = { ...flooded, flood: 0, connected: 100, synQueue: 2 };
  verdicts(54, [
    ["holds", { without: flooded, calm }, "locked out"],
    ["false", { without: { ...flooded, connected: 90 } }, "most get in"],
  ]);
  verdicts(57, [
    [
      "holds",
      { with: { ...flooded, cookies: 1, connected: 100, cookiesSent: 99_871 }, without: flooded },
      "all get in",
    ],
    ["depends", { with: { ...flooded, cookies: 1, connected: 60, cookiesSent: 99_871 } }, "most get in"],
    ["false", { with: { ...flooded, cookies: 1, connected: 3, cookiesSent: 99_871 } }, "hardly any"],
  ]);
  const under = (setting: number, cookiesSent: number) => ({ cookies: setting, syns: 100, cookiesSent, synQueue: 17 });
  verdicts(58, [
    ["holds", { value: 1, rows: [under(0, 0), under(1, 83), under(2, 100)] }, "and it is the default"],
    ["false", { value: 1, rows: [under(0, 10), under(1, 83)] }, "also when switched off"],
    ["false", { value: 0, rows: [under(0, 0), under(1, 0)] }, "not at all"],
  ]);
  const kept = { offered: 1400, kept: 1300, timestamps: 0, windowScale: 0, sack: 0 };
  verdicts(55, [
    [
      "depends",
      { rows: [kept, { ...kept, timestamps: 1, windowScale: 1, sack: 1 }] },
      "rounded, and the rest by timestamps",
    ],
    [
      "holds",
      {
        rows: [
          { ...kept, kept: 1400, windowScale: 1, sack: 1 },
          { offered: 536, kept: 536, timestamps: 1, windowScale: 1, sack: 1 },
        ],
      },
      "everything comes back",
    ],
  ]);

  verdicts(8, [
    [
      "false",
      { connections: 6000, bytesEach: 3500, buffersEach: 0, unread: 8192, buffersUnread: 12_000 },
      "none while idle",
    ],
    ["holds", { connections: 6000, bytesEach: 3500, buffersEach: 131_072 }, "as the text says"],
  ]);
  verdicts(46, [
    ["false", { connections: 6000, bytesEach: 3500, buffersEach: 0 }, "some kilobytes"],
    ["holds", { connections: 6000, bytesEach: 4000, buffersEach: 131_072 }, "135 KB"],
  ]);
  const fiveHundred = {
    backlog: 128,
    clients: 500,
    rate: 50,
    acceptQueue: 129,
    synQueue: 0,
    outside: 371,
    seconds: 6,
    accepted: 308,
    resends: 574,
    phantoms: 192,
    trying: 0,
    timedOut: 0,
    reset: 0,
    cookies: 1,
  };
  const impatient = { ...fiveHundred, phantoms: 38, timedOut: 154, gaveUp: 3, error: "ETIMEDOUT", cookies: 0 };
  const clocks = { scale: 44, patience: 3, usualPatience: 131, without: impatient, withCookies: fiveHundred };
  const evenly = { ...fiveHundred, seconds: 11, accepted: 500, phantoms: 0, cookies: 0 };
  const inside = { ...evenly, synQueue: 371, outside: 0 };
  verdicts(22, [
    ["false", clocks, "they give up, or are phantoms"],
    ["depends", { ...clocks, patience: 131, without: evenly }, "delivered evenly, though not from the kernel"],
    ["holds", { ...clocks, without: inside, withCookies: inside }, "all of them in the kernel"],
  ]);
  const spike = { ...fiveHundred, clients: 5000, rate: 1000, outside: 4871, seconds: 5, accepted: 737, phantoms: 4263 };
  verdicts(49, [
    ["false", { small: spike }, "in neither queue"],
    ["holds", { small: { ...spike, synQueue: 4871, outside: 0 } }, "in the SYN queue"],
  ]);
  verdicts(50, [
    ["false", { small: spike }, "most are lost"],
    ["holds", { small: { ...spike, accepted: 5000, phantoms: 0 } }, "all in time"],
  ]);
  const large = {
    ...spike,
    backlog: 4096,
    rate: 0,
    acceptQueue: 4097,
    outside: 903,
    seconds: 1.2,
    accepted: 5000,
    phantoms: 0,
  };
  verdicts(51, [
    ["holds", { large, small: spike }, "all are in"],
    ["depends", { large: { ...large, accepted: 4500 }, small: spike }, "better, and not enough"],
    ["false", { large: { ...large, accepted: 700 }, small: spike }, "no better"],
  ]);
  const quick = { clients: 300, rate: 300, served: 300, median: 10, watched: 1, peak: 1, room: 129 };
  const slow = { ...quick, served: 245, median: 850, peak: 129 };
  verdicts(41, [
    ["holds", { slow, fast: quick }, "one full, one empty"],
    ["false", { slow, fast: { ...quick, peak: 129 } }, "both full"],
  ]);
  verdicts(53, [
    ["holds", { slow, fast: quick }, "all served"],
    ["depends", { slow, fast: { ...quick, served: 290 } }, "more, and not all"],
    ["false", { slow, fast: { ...quick, served: 200 } }, "fewer"],
  ]);
  const gone = {
    clients: 4,
    timedOut: 4,
    reset: 0,
    error: "ETIMEDOUT",
    gaveUp: 4,
    reckoned: 4,
    reckonedByDefault: 131,
  };
  verdicts(42, [
    ["holds", gone, "by their own timer"],
    ["depends", { ...gone, timedOut: 2 }, "some of them"],
    ["false", { ...gone, timedOut: 0, reset: 4, error: "ECONNRESET" }, "by RST"],
  ]);
  verdicts(52, [
    ["false", clocks, "another number, and no RST"],
    [
      "holds",
      { ...clocks, usualPatience: 75, without: { ...impatient, timedOut: 0, reset: 154, error: "ECONNRESET" } },
      "75 s and RST",
    ],
  ]);
  verdicts(36, [
    ["holds", { handshakes: 4000, switches: 1 }, "it slept"],
    ["false", { handshakes: 4000, switches: 4000 }, "woken each time"],
  ]);
  verdicts(44, [
    ["false", { backlog: 64, clients: 12_000, open: 12_000 }, "a small one does"],
    ["holds", { backlog: 64, clients: 12_000, open: 900 }, "a small one does not"],
  ]);
  verdicts(62, [
    ["holds", { clients: 12_000, open: 12_000 }, "all open"],
    ["false", { clients: 12_000, open: 900 }, "most are missing"],
  ]);
  const descriptors = {
    softHere: 20_000,
    hardHere: 20_000,
    softOfFirst: 1024,
    hardOfFirst: 524_288,
    raised: 256,
    beyondAllowed: 0,
  };
  verdicts(47, [
    ["holds", descriptors, "1024 at the first process"],
    ["depends", { ...descriptors, softOfFirst: 32_768 }, "another default"],
    ["false", { ...descriptors, raised: 64 }, "it cannot be raised"],
  ]);
  verdicts(63, [
    ["false", { clients: 80, limit: 40, accepted: 35, wakeupsPerSecond: 400_000, cpu: 0.99 }, "a spin"],
    ["holds", { clients: 80, limit: 40, accepted: 35, wakeupsPerSecond: 10, cpu: 0.01 }, "no spin"],
  ]);
  verdicts(59, [
    ["false", { oneThread: 100_000, twoThreads: 130_000, twoListeners: 180_000 }, "one lock"],
    ["holds", { oneThread: 100_000, twoThreads: 190_000, twoListeners: 190_000 }, "twice as many"],
    ["depends", { oneThread: 100_000, twoThreads: 138_000, twoListeners: 138_000 }, "a second listener brings no more"],
  ]);
  const admitted = { clients: 300, most: 10, peak: 65, room: 65, drops: 85 };
  verdicts(60, [
    [
      "depends",
      { semaphore: admitted, without: { ...admitted, most: 21, peak: 1, drops: 0 } },
      "the queue fills behind it",
    ],
    [
      "holds",
      { semaphore: { ...admitted, peak: 1, drops: 0 }, without: { ...admitted, most: 21, peak: 1, drops: 0 } },
      "nothing else changes",
    ],
  ]);
  const counted = { connections: 700, netstat: 700, diag: 700, lsof: 700, netstatMs: 3, diagMs: 1, lsofMs: 30 };
  verdicts(61, [
    ["holds", counted, "both right"],
    ["depends", { ...counted, netstat: 1400 }, "netstat counts both ends"],
    ["false", { ...counted, lsof: 12 }, "lsof counts too few"],
  ]);

  it("every claim's judge is tried here", () =>
    assert.deepEqual(
      [...tried].sort((a, b) => a - b),
      claims.map(({ number }) => number),
    ));

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
      4,
      { before: { synQueue: 0, acceptQueue: 0 }, after: { synQueue: 0, acceptQueue: 0 }, clients: 0 },
      "Without clients both queues are empty.",
      "Connect some clients.",
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
    undecidable(
      12,
      { backlog: 128, clients: 100, waiting: 100, open: 100 },
      "100 clients cannot fill a queue with a backlog of 128.",
      "Connect more clients than the backlog.",
    );
    undecidable(
      13,
      { backlog: 128, clients: 129, synQueue: 0, dropped: 0 },
      "129 clients cannot overflow a backlog of 128.",
      "Connect more clients than the backlog.",
    );
    undecidable(
      15,
      { ...phantoms, clients: 6 },
      "All 6 clients fitted into the accept queue.",
      "Connect more clients than it holds.",
    );
    undecidable(
      16,
      { emptyFor: 0, outside: 0 },
      "No client was outside, so no connection could move.",
      "Connect more clients than the queue holds, then accept.",
    );
    undecidable(
      20,
      { synQueueFull: silent, slowApplication: silent, noDescriptors: { clients: 0, refused: 0 } },
      "Each condition needs clients that met it.",
      "Connect some clients under each condition.",
    );
    undecidable(
      23,
      { halfOpen: 0, resetAtTimeout: 0 },
      "No connection has timed out.",
      "Wait until the server has deleted a request whose client is ESTABLISHED.",
    );
    undecidable(
      5,
      { rows: [bound] },
      "Two different backlogs with full SYN queues are needed.",
      "Measure more backlogs.",
    );
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
      28,
      { descriptorsAtAck: 0, descriptorsAtAccept: 0 },
      "No descriptor was made at all.",
      "Let a handshake complete, and accept it.",
    );
    undecidable(
      29,
      { connections: 10, bytesEach: 0, buffersEach: 0 },
      "10 connections disappear in the noise.",
      "Make some thousands.",
    );
    undecidable(33, { sent: "", waiting: 0, read: "" }, "Nothing was sent.", "Send something before accept().");
    undecidable(34, { cases: [] }, "No connection was accepted.", "Accept some connections.");
    undecidable(
      35,
      { handshakes: 1, completed: 1, acceptCalls: 0 },
      "One handshake is not in parallel with another one.",
      "Let more begin.",
    );
    undecidable(
      37,
      { withCookies: { ...cookies, cookiesSent: 0 } },
      "Most of that flood was not answered by cookies.",
      "Set tcp_syncookies to 2, or flood more than the queue holds.",
    );
    undecidable(
      38,
      { syns: 50_000, reached: 50_000, answered: 129, rate: 2e5, cookies: 0 },
      "Without SYN cookies a full SYN queue answers no SYN, whatever the rate.",
      "Set tcp_syncookies to 1, the default, or 2.",
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
      38,
      { syns: 10, reached: 10, answered: 10, rate: 1 },
      "10 SYNs are not excessive.",
      "Send some ten thousand SYNs.",
    );
    undecidable(
      39,
      { tool: "nft", syns: 0, answered: 0, entries: 0, reached: 0 },
      "No SYN was sent.",
      "Send some after the rule is set.",
    );
    undecidable(
      48,
      { rows: [bound] },
      "In all of these measurements the backlog is the smaller limit.",
      "Measure with a tcp_max_syn_backlog below backlog and somaxconn.",
    );
    undecidable(
      54,
      { without: { ...flooded, cookies: 1 } },
      "This claim is about a kernel without SYN cookies.",
      "Set tcp_syncookies to 0.",
    );
    undecidable(
      54,
      { without: flooded, calm: { ...calm, connected: 10 } },
      "Without a flood the clients did not connect either.",
      "Find out what else keeps them out.",
    );
    undecidable(55, { rows: [kept] }, "One connection cannot show what is kept.", "Offer several MSS values.");
    undecidable(
      56,
      { withCookies: { ...cookies, cookiesSent: 0 } },
      "No cookie was sent.",
      "Set tcp_syncookies to 2, or flood more than the queue holds.",
    );
    undecidable(57, { with: flooded }, "No cookie was sent.", "Flood the listener with tcp_syncookies 1 or 2.");
    undecidable(58, { value: 1, rows: [under(1, 83)] }, "Settings 0 and 1 must be compared.", "Measure both.");
    undecidable(
      8,
      { connections: 10, bytesEach: 0, buffersEach: 0 },
      "10 connections disappear in the noise.",
      "Open some thousands.",
    );
    undecidable(
      22,
      { ...clocks, without: { ...impatient, clients: 100 } },
      "100 clients cannot overflow a backlog of 128.",
      "Connect more clients than the backlog.",
    );
    undecidable(36, { handshakes: 3, switches: 0 }, "3 handshakes are too few.", "Let some hundred complete.");
    undecidable(
      41,
      { slow: { ...slow, clients: 0 }, fast: quick },
      "Both loops need clients.",
      "Connect some clients to each.",
    );
    undecidable(
      42,
      { ...gone, clients: 0 },
      "No client met a full queue.",
      "Fill the accept queue, then connect another client.",
    );
    undecidable(
      44,
      { backlog: 64, clients: 100, open: 100 },
      "That is not many more than the backlog.",
      "Connect more clients.",
    );
    undecidable(
      46,
      { connections: 10, bytesEach: 0, buffersEach: 0 },
      "10 connections disappear in the noise.",
      "Open some thousands.",
    );
    undecidable(
      49,
      { small: { ...spike, clients: 100 } },
      "All clients of this spike fit into the accept queue.",
      "Connect more clients.",
    );
    undecidable(
      50,
      { small: { ...spike, seconds: 1, trying: 9 } },
      "The measurement was too short to decide.",
      "At 1000 accepts per second 5,000 clients take 5 s.",
    );
    undecidable(
      52,
      { ...clocks, without: { ...impatient, timedOut: 0 } },
      "No client has timed out.",
      "Let clients meet a full queue until they time out.",
    );
    undecidable(
      53,
      { slow: quick, fast: quick },
      "The blocking loop kept up, so there was nothing to solve.",
      "Let clients arrive faster than one handler serves them.",
    );
    undecidable(59, { oneThread: 0, twoThreads: 0, twoListeners: 0 }, "Nothing was accepted.", "Fill the queue first.");
    undecidable(
      60,
      { semaphore: { ...admitted, clients: 0 }, without: admitted },
      "No client connected.",
      "Connect more clients than the semaphore admits.",
    );
    undecidable(61, { ...counted, connections: 0 }, "There was nothing to count.", "Accept some connections.");
    undecidable(
      62,
      { clients: 50, open: 50 },
      "50 clients cannot show ten thousand.",
      "Connect more: other processes can hold them (lab.hold).",
    );
    undecidable(
      63,
      { clients: 20, limit: 40, accepted: 20, wakeupsPerSecond: 0, cpu: 0 },
      "The server has not run out of descriptors.",
      "Connect more clients, or lower the limit.",
    );
    undecidable(
      40,
      { backlog: 128, clients: 200, waiting: 129, synQueue: 0 },
      "200 clients cannot fill the accept queue and 1000 places more.",
      "Connect at least 1128.",
    );
  });

  it("says why a smaller queue has another reason", () => {
    assert.match(judge(6, { backlog: 5000, somaxconn: 4096, waiting: 4097 }).why, /somaxconn/);
    assert.doesNotMatch(judge(6, { backlog: 128, somaxconn: 4096, waiting: 129 }).why, /somaxconn/);
  });

  it("states tcp_syncookies where the evidence has it", () => {
    assert.match(judge(14, { backlog: 128, waiting: 129, cookies: 2 }).measured, /tcp_syncookies = 2/);
    assert.doesNotMatch(judge(14, { backlog: 128, waiting: 129 }).measured, /tcp_syncookies/);
  });
});

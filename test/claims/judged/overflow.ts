/** Judges of the claims about a full accept queue. */
import { undecidable, verdicts } from "../judging";

const stays = { cookies: 0, clients: 20, believe: 20, queued: 6, synQueueWhileFull: 14 };
const phantoms = { cookies: 1, clients: 20, believe: 20, queued: 6, synQueueWhileFull: 0 };
const refusing = { clients: 20, refused: 14 };
const silent = { clients: 20, refused: 0 };
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
const spike = { ...fiveHundred, clients: 5000, rate: 1000, outside: 4871, seconds: 5, accepted: 737, phantoms: 4263 };
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
const quick = { clients: 300, rate: 300, served: 300, median: 10, watched: 1, peak: 1, room: 129 };
const slow = { ...quick, served: 245, median: 850, peak: 129 };
const gone = {
  clients: 4,
  timedOut: 4,
  reset: 0,
  error: "ETIMEDOUT",
  gaveUp: 4,
  reckoned: 4,
  reckonedByDefault: 131,
};

describe("judges of claims", () => {
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
  verdicts(23, [
    ["holds", { halfOpen: 3, resetAtTimeout: 3 }, "all are told"],
    [
      "false",
      { halfOpen: 3, resetAtTimeout: 0, resetAtData: 3, queued: 6, queuedReset: 0, waited: 1200 },
      "nobody is told",
    ],
    ["depends", { halfOpen: 3, resetAtTimeout: 1 }, "one of three"],
  ]);
  verdicts(22, [
    ["false", clocks, "they give up, or are phantoms"],
    ["depends", { ...clocks, patience: 131, without: evenly }, "delivered evenly, though not from the kernel"],
    ["holds", { ...clocks, without: inside, withCookies: inside }, "all of them in the kernel"],
  ]);
  verdicts(49, [
    ["false", { small: spike }, "in neither queue"],
    ["holds", { small: { ...spike, synQueue: 4871, outside: 0 } }, "in the SYN queue"],
  ]);
  verdicts(50, [
    ["false", { small: spike }, "most are lost"],
    ["holds", { small: { ...spike, accepted: 5000, phantoms: 0 } }, "all in time"],
  ]);
  verdicts(51, [
    ["holds", { large, small: spike }, "all are in"],
    ["depends", { large: { ...large, accepted: 4500 }, small: spike }, "better, and not enough"],
    ["false", { large: { ...large, accepted: 700 }, small: spike }, "no better"],
  ]);
  verdicts(41, [
    ["holds", { slow, fast: quick }, "one full, one empty"],
    ["false", { slow, fast: { ...quick, peak: 129 } }, "both full"],
    ["false", { slow, fast: { ...quick, peak: 70 }, others: 0 }, "half full, on a quiet machine"],
    ["holds", { slow, fast: quick, others: 0.8 }, "one full, one empty, on a busy machine"],
    ["undecided", { slow, fast: { ...quick, peak: 70 }, others: 0.8 }, "half full, on a busy machine"],
    ["undecided", { slow, fast: { ...quick, peak: 129 }, others: 0 }, "the machine is too slow for the clients"],
  ]);
  verdicts(53, [
    ["holds", { slow, fast: quick }, "all served"],
    ["depends", { slow, fast: { ...quick, served: 290 } }, "more, and not all"],
    ["false", { slow, fast: { ...quick, served: 200 } }, "fewer"],
    ["undecided", { slow, fast: { ...quick, served: 200 }, others: 0.8 }, "fewer, on a busy machine"],
    [
      "undecided",
      { slow: { ...slow, served: 300, peak: 129 }, fast: { ...quick, median: 900, peak: 129 }, others: 0 },
      "both queues full, so the machine is too slow",
    ],
  ]);
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

  describe("refuse evidence that cannot decide", () => {
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
      22,
      { ...clocks, without: { ...impatient, clients: 100 } },
      "100 clients cannot overflow a backlog of 128.",
      "Connect more clients than the backlog.",
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
      41,
      { slow: { ...slow, clients: 0 }, fast: quick },
      "Both loops need clients.",
      "Connect some clients to each.",
    );
    undecidable(
      53,
      { slow: quick, fast: quick },
      "The blocking loop kept up, so there was nothing to solve.",
      "Let clients arrive faster than one handler serves them.",
    );
    undecidable(
      42,
      { ...gone, clients: 0 },
      "No client met a full queue.",
      "Fill the accept queue, then connect another client.",
    );
    undecidable(
      52,
      { ...clocks, without: { ...impatient, timedOut: 0 } },
      "No client has timed out.",
      "Let clients meet a full queue until they time out.",
    );
  });
});

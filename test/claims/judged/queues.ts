/** Judges of the claims about the two queues, their sizes and what limits them. */
import assert from "node:assert/strict";
import { judge } from "../../../dist/claims/registry";
import { undecidable, verdicts } from "../judging";

const bound = { backlog: 128, somaxconn: 4096, maxSynBacklog: 4096, cookies: 1, syns: 3000, synQueue: 129 };
const wide = { backlog: 2000, somaxconn: 4096, maxSynBacklog: 256, cookies: 0, syns: 3000, synQueue: 193 };

describe("judges of claims", () => {
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
    [
      "undecided",
      {
        backlog: 128,
        synQueue: 129,
        softDescriptors: 1024,
        memoryPerConnection: 3500,
        bytesLeast: 2368,
        bytesMost: 200_000,
      },
      "other programs allocate too much meanwhile",
    ],
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
  verdicts(48, [
    [
      "depends",
      { rows: [bound, wide, { ...wide, cookies: 1, synQueue: 2001 }] },
      "three quarters of it, and only without cookies",
    ],
    ["holds", { rows: [{ ...wide, synQueue: 257 }] }, "it is the bound"],
    ["false", { rows: [{ ...wide, synQueue: 2001 }] }, "it bounds nothing"],
  ]);

  describe("refuse evidence that cannot decide", () => {
    undecidable(
      4,
      { before: { synQueue: 0, acceptQueue: 0 }, after: { synQueue: 0, acceptQueue: 0 }, clients: 0 },
      "Without clients both queues are empty.",
      "Connect some clients.",
    );
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
      40,
      { backlog: 128, clients: 200, waiting: 129, synQueue: 0 },
      "200 clients cannot fill the accept queue and 1000 places more.",
      "Connect at least 1128.",
    );
    undecidable(
      5,
      { rows: [bound] },
      "Two different backlogs with full SYN queues are needed.",
      "Measure more backlogs.",
    );
    undecidable(
      48,
      { rows: [bound] },
      "In all of these measurements the backlog is the smaller limit.",
      "Measure with a tcp_max_syn_backlog below backlog and somaxconn.",
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

/** Judges of the claims about memory, descriptors and thousands of connections. */
import { undecidable, verdicts } from "../judging";

const descriptors = {
  softHere: 20_000,
  hardHere: 20_000,
  softOfFirst: 1024,
  hardOfFirst: 524_288,
  raised: 256,
  beyondAllowed: 0,
};
const admitted = { clients: 300, most: 10, peak: 65, room: 65, drops: 85 };

describe("judges of claims", () => {
  verdicts(29, [
    ["false", { connections: 20_000, bytesEach: 2850, buffersEach: 0 }, "a socket and no buffers"],
    ["holds", { connections: 20_000, bytesEach: 3000, buffersEach: 131_072 }, "all of it"],
    [
      "false",
      { connections: 20_000, bytesEach: 2850, bytesLeast: 2368, bytesMost: 19_000, buffersEach: 0 },
      "a disturbed part is still less",
    ],
    [
      "undecided",
      { connections: 20_000, bytesEach: 2850, bytesLeast: 2368, bytesMost: 90_000, buffersEach: 0 },
      "other programs allocate too much meanwhile",
    ],
  ]);
  verdicts(8, [
    [
      "false",
      { connections: 6000, bytesEach: 3500, buffersEach: 0, unread: 8192, buffersUnread: 12_000 },
      "none while idle",
    ],
    ["holds", { connections: 6000, bytesEach: 3500, buffersEach: 131_072 }, "as the text says"],
    [
      "undecided",
      { connections: 6000, bytesEach: 3500, buffersEach: 0, buffersLeast: 0, buffersMost: 80_000 },
      "the buffers of other programs count",
    ],
  ]);
  verdicts(46, [
    ["false", { connections: 6000, bytesEach: 3500, buffersEach: 0 }, "some kilobytes"],
    ["holds", { connections: 6000, bytesEach: 4000, buffersEach: 131_072 }, "135 KB"],
    [
      "undecided",
      { connections: 6000, bytesEach: 4000, bytesLeast: 2368, bytesMost: 80_000, buffersEach: 0 },
      "the parts differ too much",
    ],
  ]);
  verdicts(44, [
    ["false", { backlog: 64, clients: 12_000, open: 12_000 }, "a small one does"],
    ["holds", { backlog: 64, clients: 12_000, open: 900 }, "a small one does not"],
    ["holds", { backlog: 64, clients: 12_000, open: 900, rounds: 5, others: 0.1 }, "not even when they come again"],
    [
      "false",
      { backlog: 64, clients: 12_000, open: 12_000, rounds: 4, others: 0.8 },
      "a busy machine needs more rounds",
    ],
    ["undecided", { backlog: 64, clients: 12_000, open: 9000, rounds: 5, others: 0.8 }, "the machine is busy"],
  ]);
  verdicts(62, [
    ["holds", { clients: 12_000, open: 12_000 }, "all open"],
    ["false", { clients: 12_000, open: 900 }, "most are missing"],
    ["holds", { clients: 12_000, open: 12_000, others: 0.8 }, "all open, on a busy machine"],
    ["undecided", { clients: 12_000, open: 9000, others: 0.8 }, "some are missing, on a busy machine"],
  ]);
  verdicts(47, [
    ["holds", descriptors, "1024 at the first process"],
    ["depends", { ...descriptors, softOfFirst: 32_768 }, "another default"],
    ["false", { ...descriptors, raised: 64 }, "it cannot be raised"],
  ]);
  verdicts(63, [
    ["false", { clients: 80, limit: 40, accepted: 35, wakeupsPerSecond: 400_000, cpu: 0.99 }, "a spin"],
    ["holds", { clients: 80, limit: 40, accepted: 35, wakeupsPerSecond: 10, cpu: 0.01 }, "no spin"],
    [
      "false",
      { clients: 80, limit: 40, accepted: 35, wakeupsPerSecond: 126_289, cpu: 0.29 },
      "a spin while others have the processor",
    ],
    [
      "undecided",
      { clients: 80, limit: 40, accepted: 35, wakeupsPerSecond: 410, cpu: 0.15 },
      "more turns than a loop that waits, fewer than one that spins",
    ],
  ]);
  verdicts(59, [
    ["false", { oneThread: 100_000, twoThreads: 130_000, twoListeners: 180_000 }, "one lock"],
    ["holds", { oneThread: 100_000, twoThreads: 190_000, twoListeners: 190_000 }, "twice as many"],
    ["depends", { oneThread: 100_000, twoThreads: 138_000, twoListeners: 138_000 }, "a second listener brings no more"],
    [
      "false",
      { oneThread: 100_000, twoThreads: 130_000, twoListeners: 180_000, spread: 1.3, others: 0.05 },
      "one lock, and the rounds agree",
    ],
    [
      "undecided",
      { oneThread: 5302, twoThreads: 8444, twoListeners: 9492, spread: 1.3, others: 0.8 },
      "the machine is busy",
    ],
    [
      "undecided",
      { oneThread: 100_000, twoThreads: 130_000, twoListeners: 180_000, spread: 2.7, others: 0.05 },
      "the rounds differ too much",
    ],
  ]);
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

  describe("refuse evidence that cannot decide", () => {
    undecidable(
      29,
      { connections: 10, bytesEach: 0, buffersEach: 0 },
      "10 connections disappear in the noise.",
      "Make some thousands.",
    );
    undecidable(
      8,
      { connections: 10, bytesEach: 0, buffersEach: 0 },
      "10 connections disappear in the noise.",
      "Open some thousands.",
    );
    undecidable(
      46,
      { connections: 10, bytesEach: 0, buffersEach: 0 },
      "10 connections disappear in the noise.",
      "Open some thousands.",
    );
    undecidable(
      44,
      { backlog: 64, clients: 100, open: 100 },
      "That is not many more than the backlog.",
      "Connect more clients.",
    );
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
    undecidable(59, { oneThread: 0, twoThreads: 0, twoListeners: 0 }, "Nothing was accepted.", "Fill the queue first.");
    undecidable(
      60,
      { semaphore: { ...admitted, clients: 0 }, without: admitted },
      "No client connected.",
      "Connect more clients than the semaphore admits.",
    );
  });
});

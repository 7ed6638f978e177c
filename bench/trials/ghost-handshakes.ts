import { kernelMemory, Lab, native } from "../../dist/index";
import { row, type Trial } from "../trial";

const count = 100_000;
const million = 1_000_000;
const rounds = 3;

/** Fills one accept queue with ghosts' connections. */
async function fill(connections: number, hashBuckets: number): Promise<{ rate: number; seconds: number; bytesEach: number; queued: number; closing: number }> {
  const lab = await Lab.open({ hashBuckets, sysctls: { "net.core.somaxconn": 2 * connections } });
  try {
    const listener = await lab.listen({ backlog: 2 * connections });
    const before = kernelMemory();
    const start = native.now();
    const ghosts = await lab.ghosts(listener, { count: connections });
    await ghosts.finished();
    const seconds = (native.now() - start) / 1000;
    const after = kernelMemory();
    const queued = listener.acceptQueue;
    const bytesEach = (after.slab + after.tcpBuffers - before.slab - before.tcpBuffers) / queued;
    ghosts.close();
    const closed = native.now();
    await listener.close();
    return { rate: queued / seconds, seconds, bytesEach, queued, closing: (native.now() - closed) / 1000 };
  } finally {
    await lab.close();
  }
}

export const ghostHandshakes: Trial = {
  name: "ghost-handshakes",
  question: "how many handshakes a second do ghosts complete, and what is a million of them in one accept queue?",
  async run(progress) {
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) rates.push((await fill(count, 65_536)).rate);
    const { available } = kernelMemory();
    // some 3 KB each, and as much again for what else the machine is doing
    if (available < million * 6000) {
      return { rows: [row("handshakes", "handshakes/s", rates)], ratios: [], notes: [`A million was left out: ${Math.round(available / 2 ** 20)} MiB are free, and it takes some 3 GB.`] };
    }
    progress("a million connections");
    const one = await fill(million, 1 << 20);
    return {
      rows: [
        row(`${count.toLocaleString("en")} handshakes`, "handshakes/s", rates),
        row("a million ESTABLISHED in one accept queue", "s", [one.seconds]),
        row("kernel memory for each of them", "bytes", [one.bytesEach]),
        row("closing that listener", "s", [one.closing]),
      ],
      ratios: [],
      notes: [`${one.queued.toLocaleString("en")} connections waited; this process has a limit of ${native.descriptors().soft.toLocaleString("en")} descriptors`],
    };
  },
};

import { spawn } from "node:child_process";
import { kernelMemory, Lab } from "../../dist/index";
import { native } from "../../dist/native";
import { buildPeer } from "../peer";
import { atLeast, row, skippedRow, type Ratio, type Row, type Trial, medianAt } from "../trial";

const count = 100_000;
const million = 1_000_000;
const rounds = 3;
const port = 8080;

interface Filled {
  rate: number;
  seconds: number;
  bytesEach: number;
  queued: number;
  closing: number;
}

/** Makes the handshakes of `connections` clients; resolves when they are complete. */
type Fill = (lab: Lab, connections: number) => Promise<void>;

function ours(threads: 1 | 2): Fill {
  return async (lab, connections) => {
    const ghosts = await lab.ghosts(port, { count: connections, threads, mss: 1460 });
    await ghosts.finished();
    await ghosts.close();
  };
}

function byC(program: string): Fill {
  return async (lab, connections) => {
    const [packetFd = -1] = await lab.host.sockets("packet", 1);
    try {
      const child = spawn(
        program,
        [String(connections), lab.host.hardware.far, lab.host.hardware.near, lab.address, String(port)],
        { stdio: ["ignore", "ignore", "inherit", packetFd] },
      );
      const code = await new Promise((resolve) => child.once("close", resolve));
      if (code !== 0) throw new Error(`the C program ended with ${String(code)}`);
    } finally {
      native.close(packetFd);
    }
  };
}

/** Fills one accept queue. */
async function filled(fill: Fill, connections: number, hashBuckets: number): Promise<Filled> {
  const lab = await Lab.open({ hashBuckets, sysctls: { "net.core.somaxconn": 2 * connections } });
  try {
    const listener = await lab.listen({ port, backlog: 2 * connections });
    const before = kernelMemory();
    const start = native.now();
    await fill(lab, connections);
    const seconds = (native.now() - start) / 1000;
    const after = kernelMemory();
    const queued = listener.acceptQueue;
    const bytesEach = (after.slab + after.tcpBuffers - before.slab - before.tcpBuffers) / queued;
    const closed = native.now();
    await listener.close();
    return { rate: queued / seconds, seconds, bytesEach, queued, closing: (native.now() - closed) / 1000 };
  } finally {
    await lab.close();
  }
}

/** Handshakes per second of ghosts, and seconds and bytes for a million in one accept queue, compared with a C program. */
export const ghostHandshakes: Trial = {
  name: "ghost-handshakes",
  question:
    "how many handshakes per second do ghosts complete, and how long does a million in one accept queue take, compared with a C program?",
  async run(progress) {
    const peer = buildPeer("handshakes.c");
    const contestants: [string, Fill][] = [
      ["ours, one thread", ours(1)],
      ["ours, two threads", ours(2)],
    ];
    if ("program" in peer) contestants.push(["C, one thread", byC(peer.program)]);
    const rates = new Map<string, number[]>(contestants.map(([name]) => [name, []]));
    for (let round = 1; round <= rounds; round++) {
      progress(`${round} of ${rounds}: ${count.toLocaleString("en")} each`);
      for (const [name, fill] of contestants) rates.get(name)?.push((await filled(fill, count, 65_536)).rate);
    }
    const rows: Row[] = contestants.map(([name]) =>
      row(`${count.toLocaleString("en")} handshakes, ${name}`, "handshakes/s", rates.get(name) ?? []),
    );
    const notes: string[] = [];
    const ratios: Ratio[] = [];
    if ("missing" in peer) rows.push(skippedRow("C, one thread", "handshakes/s", peer.missing));
    else {
      ratios.push(atLeast("one thread, ours / C", medianAt(rows, 0) / medianAt(rows, 2), 0.8));
      ratios.push(atLeast("two threads, ours / C", medianAt(rows, 1) / medianAt(rows, 2), 1));
    }
    const { available } = kernelMemory();
    // about 3 KB per connection, and as much again for other programs
    if (available < million * 6000) {
      notes.push(`The million was left out: ${Math.round(available / 2 ** 20)} MiB are free, and it needs about 3 GB.`);
      return { rows, ratios, notes };
    }
    const times: Partial<Record<string, number>> = {};
    for (const [name, fill] of contestants) {
      progress(`a million connections, ${name}`);
      const one = await filled(fill, million, 1 << 20);
      times[name] = one.seconds;
      rows.push(
        row(`a million ESTABLISHED in one accept queue, ${name}`, "s", [one.seconds]),
        row("  rate", "connections/s", [one.rate]),
        row("  kernel memory per connection", "bytes", [one.bytesEach]),
        row("  closing that listener", "s", [one.closing]),
      );
      notes.push(
        `${name}: ${one.queued.toLocaleString("en")} connections were in the queue; this process has a limit of ${native.descriptors().soft.toLocaleString("en")} descriptors`,
      );
    }
    const c = times["C, one thread"];
    if (c)
      ratios.push(
        atLeast("a million, time of C / time of ours, one thread each", c / (times["ours, one thread"] ?? NaN), 0.8),
        atLeast(
          "a million, time of C with one thread / time of ours with two",
          c / (times["ours, two threads"] ?? NaN),
          1,
        ),
      );
    return { rows, ratios, notes };
  },
};

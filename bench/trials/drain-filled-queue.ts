import { Lab } from "../../dist/index";
import { native } from "../../dist/native";
import type { Listener } from "../../dist/index";
import { buildPeer, peerSource } from "../peer";
import { atLeast, row, sideBySide, skippedRow, type Row, type Trial } from "../trial";

const port = 8080;
const backlog = 65535;

/** as many clients as this process has descriptors for */
function queueLength(): number {
  const { soft, open } = native.descriptors();
  return Math.min(15_000, Math.floor(soft - open - 500));
}

/** Fills the queue of one of our own listeners, and times `drain`. ms */
function ours(lab: Lab, count: number, drain: (listener: Listener) => Promise<unknown>): () => Promise<number> {
  return async () => {
    const listener = await lab.listen({ port, backlog });
    const clients = await lab.connect(listener, { clients: count, quiet: 2000 });
    const start = native.now();
    await drain(listener);
    const took = native.now() - start;
    await clients.close();
    await listener.close();
    return took;
  };
}

/** Fills the queue of a program that says when it listens, waits for a line, and prints how long it took. ms */
function theirs(lab: Lab, count: number, command: string, args: string[]): () => Promise<number> {
  return async () => {
    const program = await lab.spawn(command, [...args, String(port), String(backlog), String(count)]);
    let said = "";
    program.stdout.on("data", (part) => (said += String(part)));
    const ended = program.exited.then(() => "ended");
    while (!said.includes("listening")) {
      if ((await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 2))])) === "ended")
        throw new Error(`${command} ended before it listened`);
    }
    const clients = await lab.connect(port, { clients: count, quiet: 2000 });
    program.stdin.write("go\n");
    await ended;
    await clients.close();
    await program.close();
    return Number(said.trim().split("\n").pop());
  };
}

/** ms to accept and close all connections of a full accept queue: our loops, a C loop, Go and Node. */
export const drainFilledQueue: Trial = {
  name: "drain-filled-queue",
  question: "how fast is a filled accept queue emptied, accept and close?",
  async run() {
    const count = queueLength();
    const lab = await Lab.open({ wire: false, hashBuckets: 65536, sysctls: { "net.core.somaxconn": backlog } });
    try {
      const peers: Record<string, { program: string; args?: string[] } | { missing: string }> = {
        "C accept4 loop": buildPeer("accept-loop.c"),
        "Go net": buildPeer("accept-loop.go"),
        "node net": { program: process.execPath, args: [peerSource("accept-loop.js")] },
      };
      const contestants: Record<string, () => Promise<number>> = {
        "our accept loop": ours(lab, count, (listener) => listener.acceptLoop({ close: true, limit: count }).done),
        "acceptAll(), then close": ours(lab, count, (listener) =>
          Promise.all(listener.acceptAll().map((connection) => connection.close())),
        ),
      };
      for (const [name, peer] of Object.entries(peers))
        if ("program" in peer) contestants[name] = theirs(lab, count, peer.program, peer.args ?? []);
      const samples = await sideBySide(7, contestants);
      const rows: Row[] = Object.keys(contestants).map((name) => row(name, "ms", samples[name]));
      for (const [name, peer] of Object.entries(peers))
        if ("missing" in peer) rows.push(skippedRow(name, "ms", peer.missing));
      const time = (name: string) => rows.find((each) => each.name === name)?.median ?? NaN;
      return {
        rows,
        ratios: [
          atLeast("rate, ours / C", time("C accept4 loop") / time("our accept loop"), 0.95),
          atLeast("rate, ours / Go net", time("Go net") / time("our accept loop"), 1),
          atLeast("rate, ours / node net", time("node net") / time("our accept loop"), 1),
        ],
        notes: [`${count.toLocaleString("en")} connections in the queue of one process, its clients in another`],
      };
    } finally {
      await lab.close();
    }
  },
};

import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { LabHost } from "../../dist/lab/host";
import { native } from "../../dist/native";
import { until } from "../fixtures/waiting";
import { type Listening, listening } from "./listening";

/** The names of the threads of this process that are not Node's own. */
function ours(): string[] {
  const known = new Set(["acceptor", "clients", "ghosts", "mirror", "sampler"]);
  return readdirSync("/proc/self/task")
    .flatMap((id) => {
      try {
        return readFileSync(`/proc/self/task/${id}/comm`, "utf8").trim();
      } catch {
        return []; // it has just ended
      }
    })
    .filter((name) => known.has(name))
    .sort();
}

/** One thread of each kind, not yet started. */
async function oneOfEach(host: LabHost, listener: Listening) {
  const [mirrorFd, ghostsFd] = await host.sockets("packet", 2);
  return [
    new native.Sampler({ listenerFd: listener.fd, diagFd: -1, port: listener.port, hz: 10 }),
    new native.Acceptor({
      listenerFd: listener.fd,
      rate: 0,
      limit: 0,
      mode: "close",
      onBatch: () => undefined,
    }),
    new native.ClientThread({
      fds: new Int32Array(),
      address: "127.0.0.1",
      port: listener.port,
      sources: [],
      rate: 0,
    }),
    new native.Mirror({
      packetFd: mirrorFd,
      ifindex: host.farIndex,
      network: "10.1.0.0",
      prefix: 16,
      rtt: 0,
      loss: 0,
      logCapacity: 0,
    }),
    new native.Ghosts({
      packetFd: ghostsFd,
      ifindex: host.farIndex,
      fromHardware: host.hardware.far,
      toHardware: host.hardware.near,
      address: host.address,
      port: listener.port,
      network: "10.128.0.0",
      prefix: 9,
      first: 0,
      count: 1,
      kind: "syn",
      rate: 0,
      offer: { mss: 1460, windowScale: -1, sack: false, timestamps: false },
      seed: 1,
    }),
  ];
}

describe("threads of the addon", () => {
  it("have names that ps -L shows, until they are stopped", async () => {
    const host = await LabHost.open();
    const listener = await listening(host);
    const threads = await oneOfEach(host, listener);
    const before = ours();
    try {
      for (const thread of threads) thread.start();
      const expected = [...before, "acceptor", "clients", "ghosts", "mirror", "sampler"].sort();
      await until(
        () => ours().join() === expected.join(),
        () => `threads called ${expected.join(", ")}, not ${ours().join(", ")}`,
      );
    } finally {
      await Promise.all(threads.map((thread) => thread.stop()));
      native.close(listener.fd);
      await host.close();
    }
    assert.deepEqual(ours(), before);
  });
});

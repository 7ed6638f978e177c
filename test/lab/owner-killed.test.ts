import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import path from "node:path";

// Runs as a process of its own: opens a Lab, starts programs that would outlive it, bursts clients, and says who they are.
const owner = `
const { Lab } = require(${JSON.stringify(path.resolve(__dirname, "../../dist/index.js"))});
(async () => {
  const lab = await Lab.open();
  const listener = await lab.listen({ port: 8080, backlog: 5 });
  const stubborn = await lab.spawn("sh", ["-c", "trap '' TERM HUP INT; (setsid sleep 1000 &) ; sleep 1000"]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  console.log(JSON.stringify({ host: lab.host.pid, program: stubborn.pid }));
  for (;;) await lab.connect(listener, { clients: 300, kind: "mirror", rtt: 5, quiet: 5 }).then((clients) => clients.close());
})();`;

function processesIn(namespace: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/net`) === namespace;
      } catch {
        return false;
      }
    });
}

describe("an owner that is killed in the middle of a burst", () => {
  it("leaves nothing: not the helper, not its programs, not their children", async () => {
    const child = spawn(process.execPath, ["-e", owner], { stdio: ["ignore", "pipe", "inherit"] });
    const pids = await new Promise<{ host: number; program: number }>((resolve) =>
      child.stdout.once("data", (text) => resolve(JSON.parse(String(text)))),
    );
    const namespace = readlinkSync(`/proc/${pids.program}/ns/net`);
    assert.ok(processesIn(namespace).length >= 4, "the helper, the shell, and two sleeps");
    await new Promise((resolve) => setTimeout(resolve, 150));
    process.kill(child.pid!, "SIGKILL");
    const deadline = Date.now() + 1000;
    while (Date.now() < deadline && processesIn(namespace).length > 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(processesIn(namespace), []);
  });
});

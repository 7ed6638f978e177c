import { spawn } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import path from "node:path";
import { sleep, until } from "../fixtures/waiting";

// Runs as a process of its own: opens a Lab, starts programs that would outlive it, bursts clients, and says who they are.
const owner = `
const { Lab } = require(${JSON.stringify(path.resolve(__dirname, "../../dist/index.js"))});
(async () => {
  const lab = await Lab.open();
  const listener = await lab.listen({ port: 8080, backlog: 5 });
  const stubborn = await lab.spawn("sh", ["-c", "trap '' TERM HUP INT; (setsid sleep 1000 &) ; sleep 1000"]);
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
    await until(() => processesIn(namespace).length >= 4, "the helper, the shell, and two sleeps");
    await sleep(150); // another moment of a burst each time is what is tested
    process.kill(child.pid!, "SIGKILL");
    await until(
      () => processesIn(namespace).length === 0,
      () => `the end of ${processesIn(namespace).join()}`,
    );
  });
});

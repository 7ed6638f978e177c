import assert from "node:assert/strict";
import { once } from "node:events";
import type { Lab } from "one-listener";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { sleep } from "../fixtures/waiting";
import { DrivenServer, main, watch } from "./watched";

describe("one-listener watch whose output is not read", function () {
  this.timeout(60_000);
  let lab: Lab;
  labOfSuite((opened) => (lab = opened), { wire: false });

  it("keeps no more than a little of it, and ends when it is told to", async () => {
    const server = await DrivenServer.inLab(lab);
    try {
      // forty lines in each report, so that the pipe is full soon
      for (let host = 1; host <= 40; host++) await server.tell("open", `127.0.0.${host}`, 8130, 5);
      const args = [main, "watch", ":8130", "--json", "--interval", "0.1", "--hz", "1"];
      const program = await lab.spawn(process.execPath, args);
      let stderr = "";
      program.stderr.on("data", (data) => (stderr += data));
      await sleep(5000);
      await program.kill("SIGINT");
      const { code } = await program.exited;
      assert.equal(code, 0, stderr);
      assert.match(stderr, /^\d+ reports were left out, because the reader of the output did not read\.$/m);
      assert.match(stderr, /^The reader of the output did not read it to its end\.$/m);
    } finally {
      server.kill();
    }
  });

  it("ends in order when the reader of --json has gone, at 1000 samples per second", async () => {
    const server = DrivenServer.here();
    try {
      const port = await server.tell("open", "127.0.0.1", 0, 5);
      const { child, ended } = watch(`:${port}`, "--json", "--interval", "0.1", "--hz", "1000");
      await once(child.stdout!, "data");
      child.stdout!.destroy();
      const { code, stderr } = await ended;
      assert.equal(code, 0, stderr);
      assert.equal(stderr, "");
    } finally {
      server.kill();
    }
  });
});

import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { Worker } from "node:worker_threads";

const program = path.join(__dirname, "running-threads.js");

/** Runs running-threads.js in a process of its own; what it printed. */
function run(way: string): string {
  return execFileSync(process.execPath, ["--expose-gc", program, way], { encoding: "utf8", timeout: 20_000 });
}

describe("threads of the addon at the end of an environment", () => {
  for (const way of ["return", "exit", "throw"]) {
    it(`end with the process (${way})`, function () {
      this.timeout(25_000);
      assert.match(run(way), /^started\n/);
    });
  }

  it("end with their worker thread, whether it is terminated or returns, and the main thread's go on", function () {
    this.timeout(25_000);
    assert.equal(run("workers"), "started\nmain goes on\n");
  });

  it("end when their objects are garbage, descriptors included; a running accept loop is none", function () {
    this.timeout(25_000);
    assert.equal(run("garbage"), "started\ncollected\n");
  });

  it("a worker thread that still waits for a descriptor is terminated, and the process lives on", async function () {
    this.timeout(25_000);
    const library = path.join(__dirname, "..", "..", "dist", "native");
    const waiting = `const { native } = require(${JSON.stringify(library)}); native.poll(native.diagSocket(), 1, 60_000); require("worker_threads").parentPort.postMessage("waits");`;
    for (let round = 0; round < 10; round++) {
      const worker = new Worker(waiting, { eval: true });
      await new Promise((resolve) => worker.once("message", resolve));
      await worker.terminate();
    }
  });
});

import assert from "node:assert/strict";
import { keepBusy } from "../fixtures/busy-machine";
import { type DrivenKernel, kernelOfSuite } from "./driven-kernel";

describe("a notebook cell", () => {
  let kernel: DrivenKernel;
  kernelOfSuite((started) => void (kernel = started));

  it("can be run twenty times on a busy machine: each run starts when everything of the run before is closed", async function () {
    this.timeout(180_000);
    await kernel.print('import { Lab, owned } from "one-listener";', { cell: "imports" });
    await kernel.print("const lab = await Lab.open();", { cell: "lab" });
    const busy = keepBusy({ loopsEach: 4, seconds: 170 });
    try {
      for (let run = 1; run <= 20; run += 1) {
        const outcome = await kernel.run(
          'const listener = await lab.listen({ port: 8080 });\nconst trace = await lab.record(listener, { live: false });\nconst clients = await lab.connect(listener, { clients: 150, kind: "mirror", rtt: 5 });\nconsole.log("run");',
          { cell: "again" },
        );
        assert.equal(outcome.status, "ok", `run ${run}: ${JSON.stringify(outcome.error)}`);
        assert.equal(outcome.stderr, "");
      }
      assert.equal(
        await kernel.print("console.log(owned().filter((thing) => thing.constructor.name === 'Listener').length)"),
        "1",
      );
    } finally {
      busy.stop();
    }
  });
});

import assert from "node:assert/strict";
import { DrivenKernel, kernelCommand } from "./driven-kernel";

describe("the Jupyter kernel", () => {
  it("starts in less than twice the time that bare tslab takes", async function () {
    const tslab = [kernelCommand()[0], require.resolve("tslab/bin/tslab"), "kernel", "--config-path={connection_file}"];
    const best = { bare: Infinity, ours: Infinity };
    const start = async (command: string[]) => {
      const started = await DrivenKernel.start(this, command);
      await started.close();
      return started.startSeconds;
    };
    // the best of a few in turn: other work on the machine only ever adds
    for (let round = 0; round < 5 && (round < 2 || best.ours >= 2 * best.bare); round += 1) {
      best.bare = Math.min(best.bare, await start(tslab));
      best.ours = Math.min(best.ours, await start(kernelCommand()));
    }
    console.log(`      bare tslab ${best.bare.toFixed(2)} s, ours ${best.ours.toFixed(2)} s`);
    assert.ok(best.ours < 2 * best.bare);
  });
});

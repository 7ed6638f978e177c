import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import os from "node:os";
import { once } from "../../dist/claims/experiment";
import { type ClaimNumber, measure } from "../../dist/claims/registry";

/** loops that never wait, for each processor */
const loopsEach = 4;

/** what these claims are on every kernel when the machine is quiet; 59 depends on the machine's processors */
const whenQuiet = new Map<ClaimNumber, string[]>([
  [16, ["false"]],
  [29, ["false"]],
  [32, ["false"]],
  [35, ["holds"]],
  [37, ["holds"]],
  [41, ["holds"]],
  [44, ["false"]],
  [46, ["false"]],
  [53, ["holds"]],
  [56, ["holds"]],
  [59, []],
  [62, ["holds"]],
  [63, ["false"]],
]);

describe("claims on a busy machine", () => {
  let loops: ChildProcess[] = [];

  before(() => {
    // each loop ends by itself as well
    loops = Array.from({ length: loopsEach * os.cpus().length }, () =>
      spawn("timeout", ["300", "sh", "-c", "while :; do :; done"], { stdio: "ignore" }),
    );
  });

  after(() => {
    for (const loop of loops) loop.kill();
  });

  const memory = once();
  for (const [number, verdicts] of whenQuiet)
    it(`claim ${number} is as on a quiet machine, or undecided`, async function () {
      this.timeout(100_000);
      const { verdict, measured, why } = await measure(number, memory);
      assert.ok([...verdicts, "undecided"].includes(verdict), `${verdict}: ${measured}. ${why}`);
      assert.ok(!/^nothing/.test(measured) || verdict === "undecided", measured);
    });
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { type HoldingPlan, planAt } from "../../dist/server/accept-workers";

const library = path.resolve(__dirname, "../../dist/server/accept-workers");

/** The plan that a process with so many descriptors makes. */
function planWith(descriptors: number, connections: number): HoldingPlan {
  const script = `process.stdout.write(JSON.stringify(require(${JSON.stringify(library)}).planHolding(${connections})))`;
  return JSON.parse(
    execFileSync("sh", ["-c", `ulimit -n ${descriptors} && exec "$0" -e "$1"`, process.execPath, script], {
      encoding: "utf8",
    }),
  ) as HoldingPlan;
}

describe("a plan for holding connections", () => {
  it("takes more processes where each may have fewer descriptors", () => {
    const { connections, processes, because } = planWith(512, 5000);
    assert.deepEqual([connections, processes, because], [5000, Math.ceil(5000 / (512 - 20)), ""]);
  });

  it("leaves some of the machine's memory and open files for what is taken between the plan and the start", () => {
    const [plan, start] = [planAt("plan", 100_000_000), planAt("start", 100_000_000)];
    const bounded = /memory are free|open files/;
    if (!bounded.test(plan.because) || !bounded.test(start.because)) assert.ok(start.connections >= plan.connections);
    else assert.ok(start.connections > 1.05 * plan.connections, `${plan.connections}, then ${start.connections}`);
  });

  it("starts no more processes than this one has descriptors for: two each", () => {
    const { connections, processes, descriptorsEach, because } = planWith(256, 100_000);
    assert.equal(descriptorsEach, 256);
    assert.ok(processes > 10 && 2 * processes < 256, `${processes} processes`);
    assert.equal(connections, processes * (256 - 20));
    assert.match(because, /and needs 2 per process that accepts/);
  });
});

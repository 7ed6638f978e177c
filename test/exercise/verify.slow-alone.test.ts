import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { allExercises } from "../../dist/exercise/exercise";
import type { Verification } from "../../dist/exercise/verify";
import { requireSandbox } from "../../dist/grade/sandbox";
import { inProject } from "../fixtures/project";

/** How often each solution runs. CI sets 10, which is what an exercise promises. */
const times = process.env.ONE_LISTENER_VERIFY_TIMES ?? "2";

function withoutSandbox(): boolean {
  try {
    requireSandbox();
    return false;
  } catch {
    return true;
  }
}

/** Verifies all exercises with the command, two at a time, as the grader checks. */
function verifyAll(): Promise<Verification[]>[] {
  const names = allExercises().map(({ name }) => name);
  return [0, 1].map(async (lane) => {
    const child = spawn(process.execPath, [
      inProject("dist", "cli", "main.js"),
      "exercise",
      "verify",
      ...names.filter((_, at) => at % 2 === lane),
      "--times",
      times,
      "--json",
      ...(withoutSandbox() ? ["--no-sandbox"] : []),
    ]);
    const [results, progress] = await Promise.all([text(child.stdout), text(child.stderr)]);
    assert.notEqual(results, "", progress);
    return JSON.parse(results) as Verification[];
  });
}

describe("the verification of exercises", function () {
  // the first test waits for all of them
  this.timeout(1_200_000);

  let verified: Promise<Verification[]>[] | undefined;
  for (const { name } of allExercises()) {
    it(`${name}: the starter fails, the solution passes, the wrong ones fail where they should`, async () => {
      const all = (await Promise.all((verified ??= verifyAll()))).flat();
      assert.deepEqual(all.find(({ exercise }) => exercise === name)?.faults, []);
    });
  }
});

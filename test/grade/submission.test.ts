import assert from "node:assert/strict";
import { grade } from "../../dist/grade/grade";
import { requireSandbox } from "../../dist/grade/sandbox";
import { projectText } from "../fixtures/project";
import { skip } from "../fixtures/skip";
import { folderOfSuite } from "../fixtures/temporary-folder";

// Hostile submissions: adversarial.slow.test.ts.
describe("the grader, on a class of two", function () {
  this.timeout(60_000);
  const submissions = folderOfSuite("class");
  const out = folderOfSuite("graded");

  it("gives the model solution all points, and the starter none", async function () {
    try {
      requireSandbox();
    } catch (error) {
      skip(this, (error as Error).message);
    }
    submissions.write("ada.ts", projectText("exercises", "queue-arithmetic", "solution.ts"));
    submissions.write("ben.ts", projectText("exercises", "queue-arithmetic", "starter.ts"));
    const results = await grade([submissions.place], { out: out.place, exercises: ["queue-arithmetic"], jobs: 2 });
    assert.deepEqual(
      results.map(({ student, exercises: [exercise] }) => [student, exercise.points, exercise.max]).sort(),
      [
        ["ada", 6, 6],
        ["ben", 0, 6],
      ],
    );
  });
});

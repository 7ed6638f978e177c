import assert from "node:assert/strict";
import { ArgumentError, LabError } from "../../dist/errors";
import { storyOf } from "../../dist/exercise/failure";

describe("a check that itself fails", () => {
  it("tells the error with its hint, and whom to tell", () => {
    assert.deepEqual(storyOf(new LabError("The Lab is closed.", { code: "ECLOSED", hint: "Open another one." })), {
      did: "The check itself failed with an error",
      expected: "no error",
      measured: "The Lab is closed.\n→ Open another one.",
      read: "If your code did not cause this error, run the check again, then tell your instructor",
    });
  });

  it("does not blame itself where an argument was wrong", () => {
    const { measured, read } = storyOf(new ArgumentError("The backlog must be a number."));
    assert.deepEqual([measured, read], ["The backlog must be a number.", undefined]);
  });
});

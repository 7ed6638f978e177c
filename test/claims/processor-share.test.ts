import assert from "node:assert/strict";
import { UndecidedError } from "../../dist/claims/claim";
import { isBusy, othersWords, requireQuietMachine, watchProcessors } from "../../dist/claims/processor-share";
import { native } from "../../dist/native";

describe("the share of the CPU time that other programs take", () => {
  it("is unknown after too short a time", () => assert.equal(watchProcessors()(), undefined));

  it("does not count what this process takes itself", () => {
    const others = watchProcessors();
    const start = native.now();
    while (native.now() - start < 400);
    const share = others();
    assert.ok(share !== undefined && share >= 0 && share <= 1, `${share}`);
  });

  it("is much from a quarter on, and unknown is not much", () => {
    assert.deepEqual([0, 0.25, 0.26, 1, undefined].map(isBusy), [false, false, true, true, false]);
  });

  it("leaves a verdict undecided that rests on times, and says what was seen", () => {
    requireQuietMachine(0.1, "2 ms", "inet_csk_accept()");
    requireQuietMachine(undefined, "2 ms", "inet_csk_accept()");
    assert.throws(
      () => requireQuietMachine(0.83, "2 ms", "inet_csk_accept()"),
      (error: Error) => {
        assert.ok(error instanceof UndecidedError);
        assert.equal(error.measured, "2 ms; other programs took 83 % of the CPU time");
        assert.match(error.why, /^The machine is busy/);
        assert.equal(error.kernel, "inet_csk_accept()");
        return true;
      },
    );
    assert.equal(othersWords(1), "other programs took 100 % of the CPU time");
  });
});

// mocha's spec reporter, then the reason of every skipped test, and a last line that counts.
const { reporters, Runner } = require("mocha");

const { EVENT_RUN_END, EVENT_TEST_PENDING } = Runner.constants;

/** Why a test was skipped: skip() notes it at the test, or at the suite whose hook it was called in. */
function reasonOf(test) {
  for (let at = test; at; at = at.parent) if (at.skipReason) return at.skipReason;
  return "no reason given";
}

module.exports = class Counting extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on(EVENT_TEST_PENDING, (test) => skipped.push(test));
    runner.once(EVENT_RUN_END, () => {
      // after Spec's own epilogue, which listens to the same event
      setImmediate(() => {
        for (const test of skipped) console.log(`  skipped: ${test.fullTitle()}: ${reasonOf(test)}`);
        const { passes, failures, pending } = this.stats;
        if (passes + failures === 0) process.exitCode = 1;
        console.log(`\n${passes} passed, ${failures} failed, ${pending} skipped`);
      });
    });
  }
};

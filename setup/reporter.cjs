// mocha's spec reporter with a line of progress for each suite, then the reason of every skipped test, and a last line
// that counts. With ONE_LISTENER_RESULTS (a file), the results go there and setup/test/summary.mjs prints the end.
const { writeFileSync } = require("node:fs");
const { reporters, Runner } = require("mocha");

const { EVENT_RUN_END, EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_PENDING } = Runner.constants;

/** Why a test was skipped: skip() notes the reason at the test, or at the suite of the hook that called it. */
function reasonOf(test) {
  for (let at = test; at; at = at.parent) if (at.skipReason) return at.skipReason;
  return "no reason given";
}

/** What the summary shows of a failure; an error can hold anything, so that only texts are kept. */
function failureOf(test) {
  const { err } = test;
  const shown = (value) => (typeof value === "string" ? value : undefined);
  return {
    titles: test.titlePath(),
    message: String(err?.message ?? err),
    stack: String(err?.stack ?? err),
    actual: shown(err?.actual),
    expected: shown(err?.expected),
  };
}

module.exports = class Counting extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    this.skipped = [];
    this.suites = [];
    runner.on(EVENT_TEST_PENDING, (test) => this.skipped.push({ title: test.fullTitle(), reason: reasonOf(test) }));
    this.showProgress(runner);
    const results = process.env.ONE_LISTENER_RESULTS;
    // Spec calls its epilogue, which it reads from the instance, at the same event and before this
    runner.once(EVENT_RUN_END, () => (results ? this.write(results) : this.printEnd()));
  }

  /** "· suite 12 of 48 (1:34)" in front of each suite that stands in no other; also how long each took. */
  showProgress(runner) {
    const started = Date.now();
    let total;
    let begun = 0;
    runner.prependListener(EVENT_SUITE_BEGIN, (suite) => {
      if (!suite.parent?.root) return;
      total ??= suite.parent.suites.filter((each) => runner.grepTotal(each) > 0).length;
      suite.startedAt = Date.now();
      begun += 1;
      if (total < 2) return;
      const seconds = Math.round((Date.now() - started) / 1000);
      const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      console.log(reporters.Base.color("pending", `· suite ${begun} of ${total} (${clock})`));
    });
    runner.on(EVENT_SUITE_END, (suite) => {
      if (suite.startedAt) this.suites.push({ file: suite.file, seconds: (Date.now() - suite.startedAt) / 1000 });
    });
  }

  epilogue() {
    if (!process.env.ONE_LISTENER_RESULTS) super.epilogue();
  }

  write(file) {
    const { passes, failures, pending } = this.stats;
    const { skipped, suites } = this;
    const failed = this.failures.map(failureOf);
    writeFileSync(file, JSON.stringify({ passes, failures, pending, skipped, suites, failed }));
  }

  printEnd() {
    const { passes, failures, pending } = this.stats;
    for (const { title, reason } of this.skipped) console.log(`  skipped: ${title}: ${reason}`);
    if (passes + failures === 0) {
      console.log("\nNo test has run.");
      process.exitCode = 1;
    }
    console.log(`\n${passes} passed, ${failures} failed, ${pending} skipped`);
  }
};

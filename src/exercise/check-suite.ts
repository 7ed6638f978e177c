/** A check as a mocha suite: experiments and tests in the order given, a reporter that notes what mocha says of each. */
import Mocha from "mocha";
import { SolutionError, storyOf } from "./failure";
import type { TestResult } from "./result";

/** Called before each experiment and after each test. */
export type OnProgress = (progress: { done: number; of: number; what: string }) => void;

/** ms for one experiment or test */
const defaultTimeout = 60_000;

/** The experiments and tests of one check over one solution. */
export class CheckSuite {
  private readonly mocha: Mocha;
  private readonly suite: Mocha.Suite;
  /** points of each test; experiments have none */
  private readonly tests = new Map<Mocha.Test, number>();
  private readonly results = new Map<string, TestResult>();
  private experiments = 0;
  /** why an experiment failed: what follows it was not measured */
  private unmeasured?: Error;
  private failure?: SolutionError;

  /** @param timeout ms for one experiment or test; default 60,000 */
  constructor(
    title: string,
    private readonly onProgress: OnProgress = () => undefined,
    timeout = defaultTimeout,
  ) {
    const note = (test: Mocha.Test, error?: Error) => {
      this.note(test, error);
    };
    class Reporter extends Mocha.reporters.Base {
      constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
        super(runner, options);
        runner.on(Mocha.Runner.constants.EVENT_TEST_PASS, (test) => {
          note(test);
        });
        runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test, error: Error) => {
          note(test, error);
        });
      }
    }
    this.mocha = new Mocha({ timeout, reporter: Reporter });
    this.suite = Mocha.Suite.create(this.mocha.suite, title);
  }

  /** Adds an experiment. If it fails, all that follows fails for the same reason. */
  before(what: string, experiment: () => Promise<void>): void {
    this.experiments++;
    this.add(`experiment ${this.experiments}: ${what}`, async () => {
      this.progress(what);
      await experiment();
    });
  }

  /** Adds a test. @throws Error another test has the same title */
  it(title: string, points: number, judge: () => void | Promise<void>): void {
    if ([...this.tests.keys()].some((test) => test.title === title)) throw new Error(`two tests are named "${title}"`);
    this.tests.set(this.add(title, judge), points);
  }

  /** Runs all of it, once. Never rejects for what a test throws. */
  async run(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.mocha.run(() => {
        resolve();
      });
    });
    this.mocha.dispose();
  }

  /** How the solution failed, if it failed by itself: the first time counts. */
  get solutionFailure(): SolutionError | undefined {
    return this.failure;
  }

  /** What came out of each test, in the order given. */
  outcome(): TestResult[] {
    return [...this.tests].map(
      ([{ title }, max]) =>
        this.results.get(title) ?? {
          title,
          points: 0,
          max,
          passed: false,
          duration: 0,
          story: { did: "The check ended early", expected: "it runs this test", measured: "the test was not run" },
        },
    );
  }

  private add(title: string, body: () => void | Promise<void>): Mocha.Test {
    const test = new Mocha.Test(title, async () => {
      if (this.unmeasured) throw this.unmeasured;
      await body();
    });
    // mocha emits this when a body that outlives its test fails later: the test has its result already, and the process must not end
    test.on("error", () => undefined);
    this.suite.addTest(test);
    return test;
  }

  private note(test: Mocha.Test, error?: Error): void {
    if (error instanceof SolutionError) this.failure ??= error;
    const max = this.tests.get(test);
    if (max === undefined) {
      this.unmeasured ??= error;
      return;
    }
    this.results.set(test.title, {
      title: test.title,
      points: error ? 0 : max,
      max,
      passed: !error,
      duration: Math.round(test.duration ?? 0),
      ...(error && { story: storyOf(error) }),
    });
    this.progress(test.title);
  }

  private progress(what: string): void {
    this.onProgress({ done: this.results.size, of: this.tests.size, what });
  }
}

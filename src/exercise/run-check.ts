/** Runs a check as a mocha suite over an attempt, and gives what came out. */
import { createHash } from "node:crypto";
import Mocha from "mocha";
import { Lab } from "../front-door";
import { native } from "../native";
import type { Figure } from "../plot/figure";
import type { Attempt, Running } from "./attempt";
import type { Exercise } from "./exercise";
import { Missed, SolutionError, storyOf } from "./failure";
import type { CheckResult, Fate, TestResult } from "./result";
import type { Check, CheckContext } from "./suite";

export interface RunOptions {
  /** what decides the random numbers: the solution's text, so that it meets the same ones again */
  seed: string;
  /** called before each experiment and after each test */
  onProgress?: (progress: { done: number; of: number; what: string }) => void;
  /** ms for one experiment or test */
  timeout?: number;
}

const defaultTimeout = 60_000;

interface Planned {
  title: string;
  max: number;
}

/** Never rejects for what the solution does. */
export async function runCheck(
  exercise: Exercise,
  check: Check,
  attempt: Attempt,
  { seed, onProgress, timeout = defaultTimeout }: RunOptions,
): Promise<CheckResult> {
  const start = native.now();
  const labs: Lab[] = [];
  const runs: Running[] = [];
  const figures: Figure[] = [];
  const planned: Planned[] = [];
  const results = new Map<string, TestResult>();
  const pick = generator(seed);
  let fate: Fate | undefined;
  let message: string | undefined;

  const mocha = new Mocha({ timeout, reporter: class {} as never });
  mocha.cleanReferencesAfterRun(true);
  const suite = Mocha.Suite.create(mocha.suite, exercise.title);
  const progress = (what: string) => onProgress?.({ done: results.size, of: planned.length, what });
  let experiments = 0;
  // after a test's time is up its body may still go on
  let ended = false;
  const goesOn = () => {
    if (ended) throw new SolutionError("stopped", "The check has ended.");
  };

  const context: CheckContext = {
    async lab(options) {
      goesOn();
      const lab = await Lab.open(options);
      labs.push(lab);
      if (ended) await lab.close();
      goesOn();
      return lab;
    },
    async start<Answer>(lab: Lab | undefined, task: object, options = {}) {
      goesOn();
      const run = await attempt.start<Answer>(lab, task, options);
      runs.push(run);
      return run;
    },
    async ask<Answer>(lab: Lab | undefined, task: object, options = {}) {
      return (await context.start<Answer>(lab, task, options)).answer;
    },
    before(what, experiment) {
      experiments++;
      const test = new Mocha.Test(`experiment ${experiments}: ${what}`, async () => {
        progress(what);
        await experiment();
      });
      (test as Marked).experiment = true;
      suite.addTest(test);
    },
    it(title, points, judge) {
      if (planned.some((each) => each.title === title)) throw new Error(`two tests are called "${title}"`);
      planned.push({ title, max: points });
      suite.addTest(new Mocha.Test(title, async () => judge()));
    },
    that(holds, story) {
      if (!holds) throw new Missed(story);
    },
    picture: (figure) => void figures.push(figure),
    integer: (least, most) => least + Math.floor(pick() * (most - least + 1)),
  };

  check(context);
  // an experiment that failed: what follows was not measured
  let failed: unknown;
  for (const test of suite.tests as Marked[]) {
    const body = test.fn as unknown as () => Promise<void>;
    test.fn = (async () => {
      if (failed) throw failed;
      return body();
    }) as never;
  }

  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => {
      runner.dispose();
      resolve();
    });
    const note = (test: Marked, error?: unknown) => {
      if (error instanceof SolutionError) {
        fate ??= error.fate;
        message ??= error.message;
      }
      if (test.experiment) {
        if (error) failed ??= error;
        return;
      }
      const max = planned.find(({ title }) => title === test.title)?.max ?? 0;
      results.set(test.title, {
        title: test.title,
        points: error ? 0 : max,
        max,
        passed: !error,
        duration: Math.round(test.duration ?? 0),
        ...(error !== undefined && { story: storyOf(error) }),
      });
      progress(test.title);
    };
    runner.on("pass", (test) => note(test));
    runner.on("fail", (test, error) => note(test, error));
  });

  ended = true;
  await Promise.all(runs.map((run) => run.stop()));
  await attempt.close();
  for (const lab of labs) await lab.close();
  const tests = planned.map(
    ({ title, max }): TestResult =>
      results.get(title) ?? {
        title,
        points: 0,
        max,
        passed: false,
        duration: 0,
        story: { did: "The check was broken off", expected: "this test", measured: "it was not run" },
      },
  );
  return {
    exercise: exercise.name,
    title: exercise.title,
    notebook: exercise.notebook,
    points: tests.reduce((sum, { points }) => sum + points, 0),
    max: tests.reduce((sum, test) => sum + test.max, 0),
    tests,
    ...(fate && { fate, message }),
    figures,
    output: attempt.output,
    duration: Math.round(native.now() - start),
  };
}

interface Marked extends Mocha.Test {
  experiment?: boolean;
}

/** Numbers in [0, 1) that follow from the seed alone. */
function generator(seed: string): () => number {
  let counter = 0;
  return () => createHash("sha256").update(`${seed}\0${counter++}`).digest().readUInt32LE(0) / 2 ** 32;
}

/** Runs a check over a solution, and gives what came out. */
import { createHash } from "node:crypto";
import { Lab, type LabOptions } from "../front-door";
import { native } from "../native";
import type { Figure } from "../plot/figure";
import type { Attempt, Running, StartOptions } from "./attempt";
import { CheckSuite, type OnProgress } from "./check-suite";
import type { Exercise } from "./exercise";
import { Missed, SolutionError } from "./failure";
import type { CheckResult } from "./result";
import type { Check, CheckContext } from "./suite";

/** How to run a check. */
export interface RunOptions {
  /** what decides the random numbers: the text of the solution, so that the same solution gets the same ones again */
  seed: string;
  /** called before each experiment and after each test */
  onProgress?: OnProgress;
  /** ms for one experiment or test; default 60,000 */
  timeout?: number;
}

/** Runs a check once. Never rejects for what the solution does. @param attempt the solution; it is closed at the end */
export async function runCheck(
  exercise: Exercise,
  check: Check,
  attempt: Attempt,
  { seed, onProgress, timeout }: RunOptions,
): Promise<CheckResult> {
  const start = native.now();
  const suite = new CheckSuite(exercise.title, onProgress, timeout);
  const opened = new Opened(attempt);
  const figures: Figure[] = [];
  const pick = generator(seed);
  const context: CheckContext = {
    lab: (options) => opened.lab(options),
    start: (lab, task, options) => opened.start(lab, task, options),
    ask: async (lab, task, options) => (await opened.start(lab, task, options)).answer,
    before: (what, experiment) => {
      suite.before(what, experiment);
    },
    it: (title, points, judge) => {
      suite.it(title, points, judge);
    },
    that(holds, story) {
      if (!holds) throw new Missed(story);
    },
    picture: (figure) => void figures.push(figure),
    integer: (least, most) => least + Math.floor(pick() * (most - least + 1)),
  };
  check(context);
  await suite.run();
  await opened.close();
  const tests = suite.outcome();
  const failure = suite.solutionFailure;
  return {
    exercise: exercise.name,
    title: exercise.title,
    notebook: exercise.notebook,
    points: tests.reduce((sum, { points }) => sum + points, 0),
    max: tests.reduce((sum, { max }) => sum + max, 0),
    tests,
    ...(failure && { fate: failure.fate, message: failure.message }),
    figures,
    output: attempt.output,
    duration: Math.round(native.now() - start),
  };
}

/** The Labs and the runs of the solution that a check has opened. */
class Opened {
  private readonly labs: Lab[] = [];
  private readonly runs: Running[] = [];
  /** a test whose time is up is not stopped: its body goes on, and must open nothing more */
  private ended = false;

  constructor(private readonly attempt: Attempt) {}

  async lab(options?: LabOptions): Promise<Lab> {
    this.requireOpen();
    const lab = await Lab.open(options);
    this.labs.push(lab);
    if (this.ended) await lab.close();
    this.requireOpen();
    return lab;
  }

  async start(lab: Lab | undefined, task: object, options: StartOptions = {}): Promise<Running> {
    this.requireOpen();
    const run = await this.attempt.start(lab, task, options);
    this.runs.push(run);
    return run;
  }

  async close(): Promise<void> {
    this.ended = true;
    await Promise.all(this.runs.map((run) => run.stop()));
    await this.attempt.close();
    for (const lab of this.labs) await lab.close();
  }

  private requireOpen(): void {
    if (this.ended) throw new SolutionError("stopped", "The check has ended.");
  }
}

/** Numbers in [0, 1) that follow from the seed alone. */
function generator(seed: string): () => number {
  let counter = 0;
  return () => createHash("sha256").update(`${seed}\0${counter++}`).digest().readUInt32LE(0) / 2 ** 32;
}

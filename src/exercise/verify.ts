/** Proves that an exercise works as promised: the starter fails, the solution passes every time, wrong solutions fail where they should, hints exist. */
import type { Wrap } from "./bounds";
import { sourceOf, wrongSolutions, type Exercise } from "./exercise";
import { gradeSource } from "./grade-source";
import { firstMissed, passed, type CheckResult } from "./result";
import { storyText, testStory } from "./story";

/** What came out of the verification of one exercise. */
export interface Verification {
  /** its name */
  exercise: string;
  /** sentences about what is wrong; empty if nothing is */
  faults: string[];
  /** ms of each run of the solution */
  durations: number[];
  /** how many wrong solutions are kept beside it */
  wrong: number;
}

/** How to verify. */
export interface VerifyOptions {
  /** runs of the solution, all of which must pass; default 10 */
  times?: number;
  /** default: no sandbox */
  wrap?: Wrap;
  /** called with what is under way: "starter", "solution, 3 of 10", "wrong-no-backlog.ts" */
  onProgress?: (what: string) => void;
}

const leastHints = 2;
const leastWrong = 2;

/** Runs the starter, the solution and all wrong solutions of an exercise through its check. */
export async function verify(exercise: Exercise, options: VerifyOptions = {}): Promise<Verification> {
  const { times = 10, wrap, onProgress = () => undefined } = options;
  const run = (file: string, seed: string, what = file) => {
    onProgress(what);
    return gradeSource(exercise, sourceOf(exercise, file), { ...(wrap && { wrap }), seed });
  };
  const faults =
    exercise.hints.length < leastHints ? [`it has ${exercise.hints.length} hints, and needs ${leastHints}`] : [];
  faults.push(...starterFaults(exercise, await run("starter.ts", "starter")));

  const durations: number[] = [];
  for (let round = 1; round <= times; round++) {
    // each round with other random numbers
    const result = await run("solution.ts", `solution ${round} ${Date.now()}`, `solution, ${round} of ${times}`);
    durations.push(result.duration);
    if (passed(result)) continue;
    faults.push(`the solution failed in round ${round}: ${missedText(result)}`);
    break;
  }

  const wrong = wrongSolutions(exercise);
  if (wrong.length < leastWrong)
    faults.push(`${wrong.length} wrong solutions are kept beside it, and it needs ${leastWrong}`);
  for (const { file } of wrong) {
    const expected = /^\/\/ fails: (.+)$/m.exec(sourceOf(exercise, file))?.[1];
    if (expected === undefined) faults.push(`${file} does not say which test it fails (// fails: …)`);
    else faults.push(...wrongFaults(file, expected, await run(file, file)));
  }
  return { exercise: exercise.name, faults, durations, wrong: wrong.length };
}

function starterFaults(exercise: Exercise, starter: CheckResult): string[] {
  const faults: string[] = [];
  const earned = starter.tests.filter((test) => test.passed).map(({ title }) => `"${title}"`);
  if (starter.points > 0) faults.push(`the starter earns ${starter.points} points already: ${earned.join(", ")}`);
  if (starter.max !== exercise.points)
    faults.push(`exercise.md says ${exercise.points} points, and the tests of the check have ${starter.max}`);
  return faults;
}

function wrongFaults(file: string, expected: string, result: CheckResult): string[] {
  return firstMissed(result)?.title === expected
    ? []
    : [`${file} should fail "${expected}" first: ${missedText(result)}`];
}

/** The first test that was missed, in one line. */
function missedText(result: CheckResult): string {
  const missed = firstMissed(result);
  if (!missed) return "it passes";
  const printed = result.output === "" ? "" : `; printed: ${result.output.slice(0, 300)}`;
  return `"${missed.title}": ${storyText(testStory(missed), " ")} (${result.points} of ${result.max} points${printed})`;
}

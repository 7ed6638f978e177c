/** Proves that an exercise is in order: starter fails, solution passes every time, wrong solutions fail where they should, hints exist. */
import type { Wrap } from "./child";
import { Exercise, sourceOf, wrongSolutions } from "./exercise";
import { gradeSource } from "./grade-source";
import { CheckResult, firstMissed, passed } from "./result";

export interface Verification {
  exercise: string;
  /** what is not in order; empty: all is well */
  faults: string[];
  /** ms of each run of the solution */
  durations: number[];
  wrong: number;
}

const leastHints = 2;
const leastWrong = 2;

/** @param times how often the solution must pass in a row */
export async function verify(
  exercise: Exercise,
  { times = 10, wrap, onProgress }: { times?: number; wrap?: Wrap; onProgress?: (what: string) => void } = {},
): Promise<Verification> {
  const faults: string[] = [];
  const durations: number[] = [];
  const run = (file: string, seed: string) => gradeSource(exercise, sourceOf(exercise, file), { wrap, seed });
  if (exercise.hints.length < leastHints)
    faults.push(`it has ${exercise.hints.length} hints; ${leastHints} are the least`);

  onProgress?.("starter");
  const starter = await run("starter.ts", "starter");
  if (starter.points > 0)
    faults.push(
      `the starter earns ${starter.points} points already: ${starter.tests
        .filter((test) => test.passed)
        .map(({ title }) => `"${title}"`)
        .join(", ")}`,
    );
  if (starter.max !== exercise.points)
    faults.push(`exercise.md says ${exercise.points} points, the check's tests have ${starter.max}`);

  for (let round = 1; round <= times; round++) {
    onProgress?.(`solution, ${round} of ${times}`);
    const result = await run("solution.ts", `solution ${round} ${Date.now()}`);
    durations.push(result.duration);
    if (!passed(result)) {
      faults.push(`the solution failed in round ${round}: ${missedText(result)}`);
      break;
    }
  }

  const wrong = wrongSolutions(exercise);
  if (wrong.length < leastWrong)
    faults.push(`${wrong.length} wrong solutions are kept beside it; ${leastWrong} are the least`);
  for (const { file } of wrong) {
    onProgress?.(file);
    const expected = /^\/\/ fails: (.+)$/m.exec(sourceOf(exercise, file))?.[1];
    if (!expected) {
      faults.push(`${file} does not say which test it fails (// fails: …)`);
      continue;
    }
    const result = await run(file, file);
    const missed = firstMissed(result);
    if (missed?.title !== expected) faults.push(`${file} should fail "${expected}" first: ${missedText(result)}`);
  }
  return { exercise: exercise.name, faults, durations, wrong: wrong.length };
}

function missedText(result: CheckResult): string {
  const missed = firstMissed(result);
  if (!missed) return "it passes";
  const { did, expected, measured } = missed.story!;
  return `"${missed.title}": ${did}. Expected: ${expected}. Measured: ${measured}. (${result.points} of ${result.max} points${result.output ? `; printed: ${result.output.slice(0, 300)}` : ""})`;
}

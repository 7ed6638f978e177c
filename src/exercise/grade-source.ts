/** One solution, as text, through one check: what watch, verify and the grader have in common. */
import type { Attempt } from "./attempt";
import { Bounds, defaultBounds, InChild, Wrap } from "./child";
import { Exercise, loadCheck } from "./exercise";
import type { CheckResult } from "./result";
import { RunOptions, runCheck } from "./run-check";
import { compile } from "./source";
import { SolutionError } from "./story";

export interface SourceOptions extends Partial<RunOptions> {
  /** imports of other cells, see compile() */
  imports?: readonly string[];
  /** default: no sandbox, see Wrap */
  wrap?: Wrap;
  bounds?: Bounds;
}

/** Never rejects for what the solution is or does. */
export async function gradeSource(exercise: Exercise, source: string, { imports, wrap, bounds = defaultBounds, seed = source, ...rest }: SourceOptions = {}): Promise<CheckResult> {
  const check = loadCheck(exercise.name);
  let attempt: Attempt;
  try {
    attempt = new InChild(compile(source, imports), exercise.functionName, wrap, bounds);
  } catch (error) {
    if (!(error instanceof SolutionError)) throw error;
    attempt = failing(error);
  }
  return runCheck(exercise, check, attempt, { seed, ...rest });
}

/** An attempt that cannot even begin. */
function failing(error: SolutionError): Attempt {
  return { output: "", start: () => Promise.reject(error), close: () => Promise.resolve() };
}

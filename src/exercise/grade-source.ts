/** Runs one check over one solution: used by `exercise watch`, `exercise verify`, check() in a notebook, and the grader. */
import type { Attempt } from "./attempt";
import { defaultBounds, type Bounds, type Wrap } from "./bounds";
import { type Exercise, loadCheck } from "./exercise";
import type { CheckResult } from "./result";
import { InProcess } from "./in-process";
import { type RunOptions, runCheck } from "./run-check";
import type { Program } from "./source";
import { SolutionError } from "./failure";

/** How to check a solution that is compiled. */
export interface ProgramOptions extends RunOptions {
  /** the command around the solution's process; default: limits without a sandbox, see bare */
  wrap?: Wrap;
  /** what the solution may use; default: defaultBounds */
  bounds?: Bounds;
}

/** How to check a solution that is source text. */
export interface SourceOptions extends Partial<ProgramOptions> {
  /** import declarations of the notebook's other cells, see compile() */
  imports?: readonly string[];
}

/** The seed of a check's random numbers. The same solution always gets the same ones. */
export function seedOf(source: string, imports: readonly string[] = []): string {
  return [source, ...imports].join("\0");
}

/**
 * Compiles a solution, and runs the check of an exercise over it. The solution's own faults become the result and reject nothing.
 * @param source TypeScript
 * @throws LabError ENOENT: the check is not built
 */
export async function gradeSource(
  exercise: Exercise,
  source: string,
  { imports, ...options }: SourceOptions = {},
): Promise<CheckResult> {
  // loading the compiler takes about 1 s: only callers with source text need it
  const { prepare } = await import("./source.js");
  return gradeProgram(exercise, prepare(source, imports), { seed: seedOf(source, imports), ...options });
}

/**
 * Runs the check of an exercise over a compiled solution. The solution's own faults become the result and reject nothing.
 * @throws LabError ENOENT: the check is not built
 */
export async function gradeProgram(
  exercise: Exercise,
  program: Program,
  { wrap, bounds = defaultBounds, ...rest }: ProgramOptions,
): Promise<CheckResult> {
  const check = loadCheck(exercise.name);
  const attempt =
    "failure" in program
      ? failing(new SolutionError(program.failure.fate, program.failure.message))
      : new InProcess({ javascript: program.javascript, name: exercise.functionName }, wrap, bounds);
  return runCheck(exercise, check, attempt, rest);
}

/** An attempt whose every start fails with `error`. */
function failing(error: SolutionError): Attempt {
  return { output: "", start: () => Promise.reject(error), close: () => Promise.resolve() };
}

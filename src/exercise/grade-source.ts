/** One solution through one check: what watch, verify and the grader have in common. */
import type { Attempt } from "./attempt";
import { defaultBounds, type Bounds, type Wrap } from "./bounds";
import { type Exercise, loadCheck } from "./exercise";
import type { CheckResult } from "./result";
import { InProcess } from "./in-process";
import { type RunOptions, runCheck } from "./run-check";
import type { Program } from "./source";
import { SolutionError } from "./failure";

export interface ProgramOptions extends RunOptions {
  /** default: no sandbox, see Wrap */
  wrap?: Wrap;
  bounds?: Bounds;
}

export interface SourceOptions extends Partial<ProgramOptions> {
  /** imports of other cells, see compile() */
  imports?: readonly string[];
}

/** What decides a solution's random numbers: all of its text. */
export function seedOf(source: string, imports: readonly string[] = []): string {
  return [source, ...imports].join("\0");
}

/** A solution as text, which is compiled here. Never rejects for what it is or does. */
export async function gradeSource(
  exercise: Exercise,
  source: string,
  { imports, ...options }: SourceOptions = {},
): Promise<CheckResult> {
  // a second of compiler: not for those that have compiled already
  const { prepare } = await import("./source.js");
  return gradeProgram(exercise, prepare(source, imports), { seed: seedOf(source, imports), ...options });
}

/** A solution that has been compiled. Never rejects for what it is or does. */
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

/** An attempt that cannot even begin. */
function failing(error: SolutionError): Attempt {
  return { output: "", start: () => Promise.reject(error), close: () => Promise.resolve() };
}

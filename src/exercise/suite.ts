/**
 * What a check.ts is written with: tests that carry points and fail with a story, and the means to open Labs and to start the student's
 * function in them.
 */
import type { Lab, LabOptions } from "../front-door";
import type { Figure } from "../plot/figure";
import type { Running, StartOptions } from "./attempt";
import type { Story } from "./result";

/** What a check gets. */
export interface CheckContext {
  /** Opens a Lab that belongs to the check; it is closed when the check ends. */
  readonly lab: (options?: LabOptions) => Promise<Lab>;
  /** Starts the student's function, as a guest of `lab` if there is one. The task arrives as JSON, with `signal` added. @throws SolutionError */
  readonly start: (lab: Lab | undefined, task: object, options?: StartOptions) => Promise<Running>;
  /** Starts it and waits for what it returns, which may be of any type: see fieldOf(). @throws SolutionError */
  readonly ask: (lab: Lab | undefined, task: object, options?: StartOptions) => Promise<unknown>;
  /** Adds an experiment, which is done once; if it fails, all tests that follow fail. Experiments and tests run in the order given. */
  readonly before: (what: string, experiment: () => Promise<void>) => void;
  /** Adds a test that is worth `points`: it is passed if `judge` does not throw. */
  readonly it: (title: string, points: number, judge: () => void | Promise<void>) => void;
  /** @throws Missed with the story, unless `holds` */
  readonly that: (holds: boolean, story: Story) => void;
  /** Shows a figure under the results: what happened, with the limit that was missed. */
  readonly picture: (figure: Figure) => void;
  /** A random integer from `least` to `most`; the same one for the same solution, so that grading twice gives the same points. */
  readonly integer: (least: number, most: number) => number;
}

/** A check: adds its experiments and tests to the context, and returns. */
export type Check = (context: CheckContext) => void;

/** Gives the check its type: `export default defineCheck(({ before, it, … }) => { … })`. */
export function defineCheck(check: Check): Check {
  return check;
}

/**
 * The same things in random order, so that a solution that counts its calls learns nothing.
 * @param integer that of the check, so that grading twice gives the same order
 */
export function shuffled<T>(things: readonly T[], integer: CheckContext["integer"]): T[] {
  const left = [...things];
  const drawn: T[] = [];
  while (left.length > 0) drawn.push(...left.splice(integer(0, left.length - 1), 1));
  return drawn;
}

/** A field of what a student's function returned; undefined if it returned no object, or the object has no such field. */
export function fieldOf(answer: unknown, name: string): unknown {
  return typeof answer === "object" && answer !== null ? (answer as Record<string, unknown>)[name] : undefined;
}

/** What a student's function returned, as JSON for a story: cut after `most` characters; "nothing" for undefined. */
export function asJson(answer: unknown, most = 200): string {
  return answer === undefined ? "nothing" : JSON.stringify(answer).slice(0, most);
}

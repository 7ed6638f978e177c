/**
 * What a check.ts is written with: a mocha suite whose tests carry points, whose failures are stories, and which can open Labs and start
 * the student's function in them.
 */
import type { Lab, LabOptions } from "../front-door";
import type { Figure } from "../plot/figure";
import type { Running, StartOptions } from "./attempt";
import type { Story } from "./result";

export interface CheckContext {
  /** Opens a Lab that the check owns; it is closed at the end. */
  lab(options?: LabOptions): Promise<Lab>;
  /** Starts the student's function, as a guest of `lab` if there is one; the task arrives as JSON, with `signal` added. */
  start<Answer = unknown>(lab: Lab | undefined, task: object, options?: StartOptions): Promise<Running<Answer>>;
  /** Starts it and waits for what it returns. @throws SolutionError */
  ask<Answer = unknown>(lab: Lab | undefined, task: object, options?: StartOptions): Promise<Answer>;
  /** Does an experiment, once; a failure of it fails all tests that follow. Several run in the order given, tests after the experiments before them. */
  before(what: string, experiment: () => Promise<void>): void;
  /** A test that is worth points. */
  it(title: string, points: number, judge: () => void | Promise<void>): void;
  /** @throws Missed with the story, unless `holds` */
  that(holds: boolean, story: Story): void;
  /** Shown under the results: what happened, with the limit that was missed. */
  picture(figure: Figure): void;
  /** An integer from `least` to `most`; the same for the same solution, so that grading twice gives the same. */
  integer(least: number, most: number): number;
}

export type Check = (context: CheckContext) => void;

/** For the type alone: `export default defineCheck(({ before, it, … }) => { … })`. */
export function defineCheck(check: Check): Check {
  return check;
}

/** The same things in an order drawn by lot: whoever counts the calls learns nothing. @param integer the check's, so that grading twice gives the same */
export function shuffled<T>(things: readonly T[], integer: CheckContext["integer"]): T[] {
  const all = [...things];
  for (let at = all.length - 1; at > 0; at--) {
    const other = integer(0, at);
    [all[at], all[other]] = [all[other], all[at]];
  }
  return all;
}

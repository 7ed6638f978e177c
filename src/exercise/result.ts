/** What comes out of a check. Plain data: it goes into notebooks, gradebooks and files. */
import type { Figure } from "../plot/figure";

/** Why a test was not passed. Each part is a sentence without its full stop. */
export interface Story {
  /** what the check did: "5,000 clients connected within 100 ms" */
  did: string;
  /** "the server accepts and answers each client" */
  expected: string;
  /** with the numbers: "731 of them were answered" */
  measured: string;
  /** where to read on: "notebook 05, The spike of 5,000"; several with a semicolon between them */
  read?: string;
}

/** How the process of a solution ended, where it did not simply return. "stopped": the check ended first. */
export type Fate =
  | "threw"
  | "time"
  | "memory"
  | "processes"
  | "descriptors"
  | "output"
  | "answer"
  | "exit"
  | "missing"
  | "syntax"
  | "stopped";

/** One test of a check. */
export interface TestResult {
  /** as in the check: "every client is answered" */
  title: string;
  /** points earned: `max` or 0 */
  points: number;
  /** points that can be earned */
  max: number;
  /** whether it earned its points */
  passed: boolean;
  /** ms */
  duration: number;
  /** why the test was not passed */
  story?: Story;
}

/** One check of one solution. */
export interface CheckResult {
  /** name of the exercise: "fast-accept" */
  exercise: string;
  /** its title: "Fast accept" */
  title: string;
  /** number of its notebook: "05" */
  notebook: string;
  /** points earned, the sum over `tests` */
  points: number;
  /** points that can be earned, the sum over `tests` */
  max: number;
  /** in the order of the check; those that were not run count as missed */
  tests: TestResult[];
  /** how the process of the solution ended, if the solution failed by itself */
  fate?: Fate;
  /** a sentence for `fate`, for the student */
  message?: string;
  /** pictures of what the kernel did */
  figures: Figure[];
  /** the beginning of what the solution printed */
  output: string;
  /** ms, from the start of the check to its end */
  duration: number;
}

/** Whether the solution earned all points. */
export function passed(result: CheckResult): boolean {
  return result.points === result.max && result.max > 0;
}

/** The first test that was not passed, in the order of the check. */
export function firstMissed(result: CheckResult): TestResult | undefined {
  return result.tests.find((test) => !test.passed);
}

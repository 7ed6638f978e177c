/** What comes out of a check. Plain data: it goes into notebooks, gradebooks and files. */
import type { Figure } from "../plot/figure";
import type { Fate, Story } from "./story";

export interface TestResult {
  title: string;
  points: number;
  max: number;
  passed: boolean;
  /** ms */
  duration: number;
  /** why it was not passed */
  story?: Story;
}

export interface CheckResult {
  exercise: string;
  title: string;
  notebook: string;
  points: number;
  max: number;
  tests: TestResult[];
  /** what became of the solution, if it did not come to an end of its own */
  fate?: Fate;
  /** a sentence for `fate` */
  message?: string;
  figures: Figure[];
  /** the beginning of what the solution printed */
  output: string;
  /** ms, all in all */
  duration: number;
}

export function passed(result: CheckResult): boolean {
  return result.points === result.max && result.max > 0;
}

/** The first test that was not passed. */
export function firstMissed(result: CheckResult): TestResult | undefined {
  return result.tests.find((test) => !test.passed);
}

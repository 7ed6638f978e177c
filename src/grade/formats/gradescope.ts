/** Gradescope's results.json for one submission. Source: gradescope-autograders.readthedocs.io, specs. */
import { storyText, testStory } from "../../exercise/story";
import type { StudentResult } from "../grade";

/** One test, as Gradescope shows it to the student. */
export interface GradescopeTest {
  /** points earned */
  score: number;
  /** points that can be earned */
  max_score: number;
  /** passed: all points */
  status: "passed" | "failed";
  /** "Fast accept: every client is answered" */
  name: string;
  /** exercise and test, from 1: "2.3" */
  number: string;
  /** the story of the test; "" if it was passed */
  output: string;
  /** Gradescope shows `output` as plain text */
  output_format: "text";
  /** the student sees the test */
  visibility: "visible";
}

/** results.json */
export interface GradescopeResults {
  /** points earned, the sum over the tests */
  score: number;
  /** seconds that the checks took */
  execution_time: number;
  /** notes about the submission, one a line */
  output: string;
  /** Gradescope shows `output` as plain text */
  output_format: "text";
  /** the student sees the tests */
  visibility: "visible";
  /** what the autograder prints is for the instructor */
  stdout_visibility: "hidden";
  /** in the order of the exercises and their tests */
  tests: GradescopeTest[];
}

/** One submission: a Gradescope test for each test of each exercise. */
export function gradescopeResults({ points, exercises, notes }: StudentResult): GradescopeResults {
  const tests = exercises.flatMap((graded, exercise): GradescopeTest[] => {
    const test = (number: number, name: string, score: number, max: number, output: string): GradescopeTest => ({
      score,
      max_score: max,
      status: score === max ? "passed" : "failed",
      name: `${graded.title}: ${name}`,
      number: `${exercise + 1}.${number}`,
      output,
      output_format: "text",
      visibility: "visible",
    });
    if (graded.tests.length === 0) return [test(1, "solution", 0, graded.max, graded.message ?? "")];
    return graded.tests.map((each, at) => test(at + 1, each.title, each.points, each.max, storyText(testStory(each))));
  });
  return {
    score: points,
    execution_time: Math.round(exercises.reduce((sum, { duration }) => sum + duration, 0) / 1000),
    output: notes.join("\n"),
    output_format: "text",
    visibility: "visible",
    stdout_visibility: "hidden",
    tests,
  };
}

/** Gradescope's results.json for one submission. Source: gradescope-autograders.readthedocs.io, specs. */
import { storyText, testStory } from "../../exercise/story";
import type { StudentResult } from "../grade";

/** One test, as Gradescope shows it to the student. */
export interface GradescopeTest {
  score: number;
  max_score: number;
  status: "passed" | "failed";
  name: string;
  number: string;
  output: string;
  output_format: "text";
  visibility: "visible";
}

/** results.json */
export interface GradescopeResults {
  score: number;
  /** s */
  execution_time: number;
  output: string;
  output_format: "text";
  visibility: "visible";
  stdout_visibility: "hidden";
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

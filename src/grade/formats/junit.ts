/** JUnit XML: a suite for each exercise of a student, as CI systems read it. */
import { storyText, testStory } from "../../exercise/story";
import type { StudentResult } from "../grade";

// characters that XML 1.0 does not have at all
const impossible =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function xml(text: string): string {
  return text.replace(impossible, "\ufffd").replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** The whole class as one document. A test that was missed is a failure with its story. */
export function junitXml(results: readonly StudentResult[]): string {
  const suites = results.flatMap(({ student, exercises }) =>
    exercises.map((graded) => {
      const name = `${student}: ${graded.title}`;
      const cases = graded.tests.map((test) => {
        const told = storyText(testStory(test), " ");
        const failure = `<failure message="${xml(test.story?.measured ?? "")}" type="missed">`;
        const body = told && `${failure}${xml(`${told} (${test.points} of ${test.max} points)`)}</failure>`;
        return `    <testcase classname="${xml(`${student}.${graded.exercise}`)}" name="${xml(test.title)}" time="${seconds(test.duration)}">${body}</testcase>`;
      });
      // a solution that could not be judged at all still counts as a failure
      if (graded.tests.length === 0)
        cases.push(
          `    <testcase classname="${xml(`${student}.${graded.exercise}`)}" name="solution" time="0"><error message="${xml(graded.message ?? "")}" type="${xml(graded.fate ?? "")}"/></testcase>`,
        );
      const failures = graded.tests.filter(({ passed }) => !passed).length;
      return `  <testsuite name="${xml(name)}" tests="${cases.length}" failures="${failures}" errors="${graded.tests.length === 0 ? 1 : 0}" skipped="0" time="${seconds(graded.duration)}">\n${cases.join("\n")}\n  </testsuite>`;
    }),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join("\n")}\n</testsuites>\n`;
}

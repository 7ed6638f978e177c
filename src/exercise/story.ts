/**
 * The story of a check: what was done, what was expected, and what was measured. It is put into words here, for notebooks, the terminal,
 * feedback pages and gradebooks.
 */
import { html, type Html } from "../html";
import type { CheckResult, TestResult } from "./result";

/** One sentence of a story, and what it says. */
export interface StoryPart {
  /** what the sentence says */
  label: "Done" | "Expected" | "Measured" | "Read";
  /** with its full stop */
  sentence: string;
}

/** One test as it is told. */
export interface TestStory {
  /** whether it earned its points */
  passed: boolean;
  /** ✓: passed */
  mark: "✓" | "✗";
  /** as in the check */
  title: string;
  /** "1 of 2" points */
  score: string;
  /** what was done, expected, measured, and where to read; empty if the test was passed */
  parts: readonly StoryPart[];
}

/** A whole check as it is told. */
export interface CheckStory {
  /** "Fast accept: 5 of 8 points" */
  head: string;
  /** what became of the solution, if it failed before it could be judged: this explains every test that was missed */
  message?: string;
  /** in the order of the check */
  tests: readonly TestStory[];
  /** the test to tell in full: the first that was missed, because the others often follow from it; none if there is a message */
  told?: TestStory;
  /** the beginning of what the solution printed; "" if it printed nothing */
  output: string;
}

/** One test of a check, told. */
export function testStory({ title, passed, points, max, story }: TestResult): TestStory {
  const parts: StoryPart[] = [];
  if (!passed && story) {
    parts.push(
      { label: "Done", sentence: `${story.did}.` },
      { label: "Expected", sentence: `${story.expected}.` },
      { label: "Measured", sentence: `${story.measured}.` },
    );
    if (story.read !== undefined) parts.push({ label: "Read", sentence: `${story.read}.` });
  }
  return { passed, mark: passed ? "✓" : "✗", title, score: `${points} of ${max}`, parts };
}

/** The result of a check, told. */
export function checkStory(
  result: Pick<CheckResult, "title" | "points" | "max" | "tests" | "message" | "output">,
): CheckStory {
  const { title, points, max, message, output } = result;
  const tests = result.tests.map(testStory);
  const told = message === undefined ? tests.find((test) => test.parts.length > 0) : undefined;
  return {
    head: `${title}: ${points} of ${max} points`,
    ...(message !== undefined && { message }),
    tests,
    ...(told && { told }),
    output,
  };
}

/** "Done: …\nExpected: …\nMeasured: …\nRead: …"; "" if the test was passed. @param between what stands between the sentences */
export function storyText({ parts }: TestStory, between = "\n"): string {
  return parts.map(({ label, sentence }) => `${label}: ${sentence}`).join(between);
}

/** The same as HTML, a line for each sentence; nothing if the test was passed. */
export function storyHtml({ parts }: TestStory): Html {
  return html`${parts.map(({ label, sentence }, at) => html`${at > 0 && html`<br>`}<b>${label}:</b> ${sentence}`)}`;
}

/** The words above what a solution printed, wherever it is shown. */
export const outputLabel = "Your function printed";

/** How much of a check is told: the story of the first test that was missed, or of each. */
export interface Telling {
  /** default: "first" */
  stories?: "first" | "all";
}

/** A whole check as text: its head, what became of the solution, the tests with their stories, and what the solution printed. */
export function checkText(story: CheckStory, { stories = "first" }: Telling = {}): string {
  const { head, message, tests, told, output } = story;
  return [
    head,
    ...(message === undefined ? [] : [message]),
    ...tests.flatMap((test) => [
      `${test.mark} ${test.title} (${test.score})`,
      ...(stories === "all" || test === told ? indented(storyText(test)) : []),
    ]),
    ...(output === "" ? [] : [`${outputLabel}:`, ...indented(output)]),
  ].join("\n");
}

function indented(text: string): string[] {
  return text === "" ? [] : text.split("\n").map((line) => `    ${line}`);
}

/** How a solution can fail: a test that it did not pass, or an end of its own before there was anything to judge. */
import { ArgumentError, messageWithHint } from "../errors";
import type { Fate, Story } from "./result";

/** A test that was not passed; its message is the story in one line. */
export class Missed extends Error {
  constructor(readonly story: Story) {
    super(`${story.did}. Expected: ${story.expected}. Measured: ${story.measured}.`);
    this.name = "Missed";
  }
}

/** The solution failed before there was anything to judge. The message is for the student. */
export class SolutionError extends Error {
  constructor(
    readonly fate: Fate,
    message: string,
  ) {
    super(message);
    this.name = "SolutionError";
  }
}

/** characters */
const longestText = 2000;

/**
 * A text of a student as it may stand in one of ours: cut to `most` characters, and without control characters. A value that is not
 * text is shown as JSON.
 */
export function quoted(text: unknown, most = longestText): string {
  const clean = (typeof text === "string" ? text : text === undefined ? "" : JSON.stringify(text))
    .replace(/\u001b\[[0-9;]*m/g, "")
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "·");
  return clean.length > most ? `${clean.slice(0, most)} … (${clean.length - most} more characters)` : clean;
}

/** The story of a test that was not passed. @param error what the test has thrown: a Missed, a SolutionError, or any other error */
export function storyOf(error: unknown): Story {
  if (error instanceof Missed) {
    // each of these may quote an answer of the student's
    const { did, expected, measured, read } = error.story;
    return {
      did: quoted(did),
      expected: quoted(expected),
      measured: quoted(measured),
      ...(read !== undefined && { read }),
    };
  }
  const message = quoted(messageWithHint(error));
  if (error instanceof SolutionError)
    return {
      did: "The check called your function",
      expected: "it does its work, or returns an answer",
      measured: message,
    };
  return {
    did: "The check itself failed with an error",
    expected: "no error",
    measured: message,
    ...(!(error instanceof ArgumentError) && {
      read: "If your code did not cause this error, run the check again, then tell your instructor",
    }),
  };
}

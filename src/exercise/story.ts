/** How a check tells what it saw: not "expected true to be false", but what was done, what was to be expected, and what the kernel showed. */
import { ArgumentError } from "../errors";

export interface Story {
  /** what the check did: "5,000 clients connected within 100 ms" */
  did: string;
  /** "each is accepted and gets its answer" */
  expected: string;
  /** with the numbers: "731 of them were answered" */
  measured: string;
  /** where to read on: "notebook 05, The spike of 5,000"; several with a semicolon between them */
  read?: string;
}

/** A test that was not passed. */
export class Missed extends Error {
  constructor(readonly story: Story) {
    super(`${story.did}. Expected: ${story.expected}. Measured: ${story.measured}.`);
    this.name = "Missed";
  }
}

/** What became of the solution itself. */
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

const longestText = 2000;

/** A student's text inside of ours: cut, and without control characters. What is not text (it came as JSON) is shown as JSON. */
export function quoted(text: unknown, most = longestText): string {
  // eslint-disable-next-line no-control-regex
  const clean = (typeof text === "string" ? text : String(JSON.stringify(text)))
    .replace(/\u001b\[[0-9;]*m/g, "")
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "·");
  return clean.length > most ? `${clean.slice(0, most)} … (${clean.length - most} characters more)` : clean;
}

/** The story of a test that was not passed, whatever was thrown. */
export function storyOf(error: unknown): Story {
  if (error instanceof Missed) {
    // a student's answer may stand in any of them
    const { did, expected, measured, read } = error.story;
    return {
      did: quoted(did),
      expected: quoted(expected),
      measured: quoted(measured),
      ...(read !== undefined && { read }),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof SolutionError)
    return {
      did: "Your function was called",
      expected: "it does its work, or gives an answer",
      measured: quoted(message),
    };
  return {
    did: "The check itself met an error",
    expected: "none",
    measured: quoted(message),
    read:
      error instanceof ArgumentError
        ? undefined
        : "If it is not your code's doing, run the check again, then tell your instructor.",
  };
}

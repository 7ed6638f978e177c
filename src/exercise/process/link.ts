/** The link to the process of a solution: a line of JSON for each message. What comes from there is not to be trusted: a student's code can write to it, too. */
import type { Socket } from "node:net";
import { quoted } from "../failure";
import { largestMessage, type FromSolution, type ToSolution } from "./messages";

/** brackets within brackets: code that walks through an answer must not run out of stack */
const deepest = 100;

/** How deep the brackets of a line of JSON lie within one another. */
function nesting(json: string): number {
  let depth = 0;
  let most = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/g)) {
    if (token === "[" || token === "{") most = Math.max(most, ++depth);
    else if (token === "]" || token === "}") depth--;
  }
  return most;
}

/** A message from a line; undefined if the line is none. Only the fields that a message of its type has are taken, each with its type. */
function parsed(line: string): FromSolution | undefined {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof message !== "object" || message === null) return undefined;
  const { type, id, name, value, message: text } = message as Record<string, unknown>;
  if (type === "ready") return { type };
  if (type === "missing") return { type, message: quoted(text) };
  if (typeof id !== "number") return undefined;
  if (type === "answer") return { type, id, value };
  if (type === "threw") return { type, id, message: quoted(text) };
  if (type === "event" && typeof name === "string") return { type, id, name };
  return undefined;
}

/** What comes over a link. */
export interface Heard {
  /** a message in the right form */
  message(message: FromSolution): void;
  /** a message that is too large, too deep, or that the receiver cannot take; the sentence is for the student */
  refused(sentence: string): void;
}

/** Our end of the link. */
export class Link {
  private received = "";

  constructor(
    private readonly channel: Socket,
    private readonly heard: Heard,
  ) {
    channel
      .setEncoding("utf8")
      .on("data", (text: string) => {
        this.take(text);
      })
      // the process has ended: its exit tells more
      .on("error", () => undefined);
  }

  /** Sends a message; does nothing once the process has closed its end. */
  say(message: ToSolution): void {
    if (!this.channel.destroyed) this.channel.write(`${JSON.stringify(message)}\n`);
  }

  /** Closes our end. Idempotent. */
  close(): void {
    this.channel.destroy();
  }

  private take(text: string): void {
    this.received += text;
    if (this.received.length > largestMessage) {
      this.received = "";
      this.heard.refused(`What it returned is larger than ${largestMessage >> 20} MiB.`);
      return;
    }
    const lines = this.received.split("\n");
    this.received = lines.pop() ?? "";
    for (const line of lines) this.takeLine(line);
  }

  private takeLine(line: string): void {
    // before it is parsed: whether JSON.parse() survives such depth depends on how much of the stack is left
    if (nesting(line) > deepest) {
      this.heard.refused(`What it returned is nested more than ${deepest} levels deep.`);
      return;
    }
    const message = parsed(line);
    if (!message) return;
    try {
      this.heard.message(message);
    } catch (error) {
      // a message that cannot be read ends this solution, not the grader
      this.heard.refused(`What it returned cannot be read: ${(error as Error).message}`);
    }
  }
}

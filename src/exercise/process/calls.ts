/** The calls of a student's function in one process: those that have not ended, and what they have reported. */
import { native } from "../../native";
import type { TaskEvent } from "../attempt";
import { SolutionError } from "../failure";
import type { FromSolution } from "./messages";

/** events of one call that are kept: a loop that reports must not fill our memory */
const mostEvents = 10_000;

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  /** what it may report */
  names: readonly string[];
  events: TaskEvent[];
}

/** One call. */
export interface PendingCall {
  /** as in the messages: a number of its own for each call */
  readonly id: number;
  /** resolves to what the function returned; rejects with a SolutionError */
  readonly answer: Promise<unknown>;
  /** in the order of arrival */
  readonly events: readonly TaskEvent[];
}

/** The calls of one process. */
export class Calls {
  private readonly pending = new Map<number, Pending>();
  private next = 0;

  /** A new call. @param names what it may report */
  begin(names: readonly string[]): PendingCall {
    const id = this.next++;
    const events: TaskEvent[] = [];
    const answer = new Promise<unknown>((resolve, reject) => {
      this.pending.set(id, { resolve, reject, names, events });
    });
    // a check may never look at an answer; its rejection must not end the grader
    answer.catch(() => undefined);
    return { id, answer, events };
  }

  /** Whether the call has neither returned nor failed. */
  runs(id: number): boolean {
    return this.pending.has(id);
  }

  /** Takes what the process says of one of its calls. A call that does not exist, or has ended, is ignored. */
  take(message: Extract<FromSolution, { id: number }>): void {
    const call = this.pending.get(message.id);
    if (!call) return;
    if (message.type === "event") {
      if (call.names.includes(message.name) && call.events.length < mostEvents)
        call.events.push({ name: message.name, time: native.now() });
      return;
    }
    this.pending.delete(message.id);
    if (message.type === "answer") call.resolve(message.value);
    else call.reject(new SolutionError("threw", `It threw: ${message.message}`));
  }

  /** Fails all that have not ended. */
  fail(error: SolutionError): void {
    for (const call of this.pending.values()) call.reject(error);
    this.pending.clear();
  }
}

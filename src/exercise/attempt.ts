/** Running a student's function: always in a process of its own, in a sandbox where it is graded. */
import type { Lab } from "../front-door";
import type { GuestRights } from "../lab/host";

/** How a check starts a student's function. */
export interface StartOptions {
  /** what the function may ask of the Lab; default: { look: true, wire: false } */
  rights?: GuestRights;
  /** hard limit of descriptors of its process; default: that of the bounds */
  nofile?: number;
  /** functions of the task that report to the check: `task.alarm()` for "alarm"; default: none */
  events?: readonly string[];
}

/** One report of a student's function. */
export interface TaskEvent {
  /** name of the function of the task that was called */
  name: string;
  /** CLOCK_MONOTONIC ms of its arrival */
  time: number;
}

/** A call of a student's function. */
export interface Running {
  /**
   * What it returned, as JSON gives it: undefined arrives as null. It is a student's, so it may be of any type.
   * Rejects with a SolutionError if the function throws, or its process ends.
   */
  readonly answer: Promise<unknown>;
  /** what it reported so far, in the order of arrival */
  readonly events: readonly TaskEvent[];
  /** Whether it has neither returned nor failed. */
  readonly running: boolean;
  /** Aborts `task.signal`, and waits until the function has returned: 2 s at most. Its process lives until the check ends. Never rejects. */
  stop(): Promise<void>;
  /** ms of CPU time that its process has used */
  cpu(): number;
}

/** A solution that a check can start, as often as it needs. */
export interface Attempt {
  /** Starts the function, as a guest of `lab` if there is one. @throws SolutionError it cannot be started or loaded */
  start(lab: Lab | undefined, task: object, options: StartOptions): Promise<Running>;
  /** the beginning of what it has printed */
  readonly output: string;
  /** Ends all processes of the solution. Idempotent. */
  close(): Promise<void>;
}

/** Running a student's function: always in a process of its own, in a sandbox where it is graded. */
import type { GuestRights } from "../lab/host";
import type { Lab } from "../front-door";

export interface StartOptions {
  /** what the student may ask of the Lab; default: { look: true, wire: false } */
  rights?: GuestRights;
  /** hard limit of descriptors of its process */
  nofile?: number;
  /** functions of the task that report to the check: `task.alarm()` for "alarm" */
  events?: readonly string[];
}

export interface TaskEvent {
  name: string;
  /** CLOCK_MONOTONIC ms of its arrival */
  time: number;
}

/** A student's function that runs. */
export interface Running<Answer = unknown> {
  /** Its return value as JSON; rejects with a SolutionError. */
  readonly answer: Promise<Answer>;
  /** what it reported so far, in the order of arrival */
  readonly events: readonly TaskEvent[];
  /** Whether it has neither returned nor failed. */
  readonly running: boolean;
  /** Aborts `task.signal`, and waits until the function has returned: some seconds at most. Its process lives on until the check has ended. Never rejects. */
  stop(): Promise<void>;
  /** ms of CPU time that its process has used */
  cpu(): number;
}

/** Starts a student's function. */
export interface Attempt {
  start<Answer>(lab: Lab | undefined, task: object, options: StartOptions): Promise<Running<Answer>>;
  /** what it has printed, the beginning */
  readonly output: string;
  /** Ends whatever still runs. Idempotent. */
  close(): Promise<void>;
}

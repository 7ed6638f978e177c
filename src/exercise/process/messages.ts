/** What a check and the process of a solution say to each other: one message a line, as JSON, on descriptor 3. */

/** Calls the student's function. */
export interface Call {
  /** tells messages apart */
  type: "call";
  /** a number of its own for each call of a process */
  id: number;
  /** whether the function gets a Lab: descriptor 4 leads to its lab host */
  lab: boolean;
  /** the task, without `signal` and the functions that report */
  task: object;
  /** functions of the task that report: "alarm" for `task.alarm()` */
  events: readonly string[];
}

/** From the check. "solution" comes first and once; "stop" aborts the signal of a call. */
export type ToSolution = { type: "solution"; javascript: string; name: string } | Call | { type: "stop"; id: number };

/** From the process. "ready" or "missing" answers "solution"; "answer" or "threw" ends a call. */
export type FromSolution =
  | { type: "ready" }
  | { type: "missing"; message: string }
  | { type: "answer"; id: number; value: unknown }
  | { type: "threw"; id: number; message: string }
  | { type: "event"; id: number; name: string };

/** descriptor of the link, in the process of the solution */
export const channelFd = 3;
/** descriptor of the socket to a lab host, in the process of the solution */
export const labFd = 4;

/** characters of one message from a solution */
export const largestMessage = 1 << 20;

/** environment variable of the process of a solution: a check() in there does nothing */
export const withinSolution = "ONE_LISTENER_SOLUTION";

/** What a check and the process of a student's function say to each other: a line of JSON a message, on descriptor 3. */

export interface Call {
  type: "call";
  id: number;
  /** descriptor 4 leads to a Lab */
  lab: boolean;
  task: object;
  events: readonly string[];
}

export type ToSolution = { type: "solution"; javascript: string; name: string } | Call | { type: "stop"; id: number };

export type FromSolution =
  | { type: "ready" }
  | { type: "missing"; message: string }
  | { type: "answer"; id: number; value: unknown }
  | { type: "threw"; id: number; message: string }
  | { type: "event"; id: number; name: string; value: unknown };

export const channelFd = 3;
export const labFd = 4;

/** bytes of one message from a solution */
export const largestMessage = 1 << 20;

/** environment variable of the process that runs a solution: a check() inside of it does nothing */
export const withinSolution = "ONE_LISTENER_SOLUTION";

/** What `one-listener watch` was asked for, and how it ended. */
import type { Alert } from "../watch/alert";

/** The options of the command line. */
export interface Options {
  record?: string;
  alert?: Alert;
  /** ms */
  for?: number;
  /** ms */
  interval: number;
  /** samples per second */
  hz: number;
  json?: boolean;
  wait?: boolean;
  follow?: boolean;
}

/** How a watch ended. */
export interface End {
  /** exit status */
  status: number;
  /** a sentence; "": nothing special */
  reason: string;
}

/** Exit statuses besides 0 and 1, explained in --help. */
export const alerted = 2;
export const listenerGone = 3;

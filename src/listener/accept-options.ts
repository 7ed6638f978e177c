/** What readers ask of accept() and acceptAll(). */

/** How accept() waits. */
export interface AcceptOptions {
  /** ms to wait for a connection; Infinity: no time limit, the default */
  timeout?: number;
}

/** How many connections acceptAll() takes. */
export interface AcceptAllOptions {
  /** the greatest number of connections; default: all that wait */
  limit?: number;
}

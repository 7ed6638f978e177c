/** What a solution may use. */

/** Bounds of a solution's processes. A solution that exceeds one of them is ended, and told which. */
export interface Bounds {
  /** ms that one process may run, counted from the moment when its module has been evaluated. Loading may take as long again. */
  time: number;
  /** bytes resident, all processes together */
  memory: number;
  /** how many processes at a time */
  processes: number;
  /** bytes printed, stdout and stderr together */
  output: number;
  /**
   * open descriptors: of one process (RLIMIT_NOFILE), and of all together. What the kernel keeps behind them, such as unread data,
   * is in no process's memory.
   */
  nofile: number;
}

/** The bounds in a notebook and in a terminal, and the default bounds of the grader. */
export const defaultBounds: Bounds = { time: 30_000, memory: 700 << 20, processes: 24, output: 1 << 20, nofile: 8192 };

/** Gives the command that runs the command `argv` within `bounds`: program and arguments, of a sandbox for example. */
export type Wrap = (argv: readonly string[], bounds: Bounds) => readonly string[];

/**
 * The bounds that need no sandbox: descriptors, no core files (setrlimit(2), by prlimit(1)), and CPU time, so that an endless loop ends
 * even if the process that started it has died.
 */
export const bare: Wrap = (argv, { nofile, time }) => [
  "prlimit",
  `--nofile=${nofile}`,
  "--core=0",
  `--cpu=${Math.ceil(time / 1000) + 5}`,
  ...argv,
];

/**
 * The contract between the notebook kernel and the library: a place to display, the cell that runs, and the moments at
 * which cells begin and end. The launcher (launch.ts) offers it; outside a notebook there is none.
 */

/**
 * A display_data message of the Jupyter protocol: one picture in several forms, by mime type. JSON forms stay objects.
 */
export interface DisplayBundle {
  /** the picture by mime type: text as a string, JSON as an object */
  data: Record<string, unknown>;
  /** by mime type, too; default: none */
  metadata?: Record<string, unknown>;
  /** not stored in the notebook */
  transient?: {
    /** a display with an id can be replaced later */
    display_id?: string;
  };
}

/** One run of one cell. Two runs of the same cell are two objects with the same `id`. */
export interface CellRun {
  /** the frontend's name of the cell; the same each time the cell is run */
  readonly id: string;
}

/**
 * What happens to a run, in this order: "start" before its first line; "interrupt" at most once, while it runs; "end"
 * or "error" after its last line, unless it was interrupted.
 */
export interface CellEvent {
  /** what happens to the run */
  readonly phase: "start" | "end" | "error" | "interrupt";
  /** the run that it happens to */
  readonly run: CellRun;
}

/**
 * Called at each event. The kernel runs nothing else until the promise is settled: not the cell that starts, not the
 * next cell.
 */
export type CellListener = (event: CellEvent) => void | Promise<void>;

/** What the launcher offers to the library inside a notebook. */
export interface KernelHook {
  /**
   * Shows `bundle` under the cell that runs, or under the one that ran last. With `update` it replaces every display
   * that carries the same `transient.display_id`. Sent at once, also while a cell awaits and from timers.
   */
  display(bundle: DisplayBundle, update: boolean): void;
  /** the cell that runs, or the one that ran last: its timers may still work; undefined before the first cell */
  readonly run: CellRun | undefined;
  /** Calls `listener` at each event from now on. */
  onCell(listener: CellListener): void;
  /**
   * TypeScript of the cells that have been run without an error, in that order, the last few hundred, and of the one
   * that runs
   */
  readonly sources: readonly string[];
}

const key = Symbol.for("one-listener.kernel");

/** The kernel of this process, if it is a notebook's. */
export function kernelHook(): KernelHook | undefined {
  return (process as unknown as Record<symbol, KernelHook | undefined>)[key];
}

/** Called once by the launcher. */
export function offerKernelHook(hook: KernelHook): void {
  Object.defineProperty(process, key, { value: hook, configurable: true });
}

/**
 * What the notebook kernel offers the library: a place to display, and the cell that runs. Outside a notebook started by
 * the launcher (launch.ts) there is none.
 */

/** A display_data message of the Jupyter protocol: one picture in several forms, by mime type. JSON forms stay objects. */
export interface DisplayBundle {
  data: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  /** a display that carries an id can be replaced later */
  transient?: { display_id?: string };
}

export interface KernelHook {
  /**
   * Shows `bundle` under the cell that runs, or under the one that ran last. With `update` it replaces every display that
   * carries the same `transient.display_id`. Sent at once, also while a cell awaits and from timers.
   */
  display(bundle: DisplayBundle, update: boolean): void;
  /** the cell that runs now */
  readonly cellId: string | undefined;
  /** TypeScript of the cells that have been run without an error, in that order, the last few hundred, and of the one that runs */
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

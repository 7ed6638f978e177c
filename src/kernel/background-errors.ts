import { Interrupted } from "./cell";
import { describeError } from "./traceback";

/** The first words of what is printed, which the notebook runner looks for. */
export const backgroundError = "Error in the background:";

/**
 * A rejected promise that nobody awaits, or a throw in a timer: shown under the cell that ran last, and the kernel lives.
 * Replaces tslab's listeners, which print the bare error.
 */
export function showBackgroundErrors(): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.removeAllListeners(event);
    process.on(event, (thrown: unknown) => {
      // the rest of a cell that was stopped
      if (thrown instanceof Interrupted) return;
      process.stderr.write(`${backgroundError} ${describeError(thrown).traceback.join("\n")}\n`);
    });
  }
}

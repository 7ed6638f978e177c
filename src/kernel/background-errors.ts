import { Interrupted } from "./cell";
import { describeError } from "./traceback";

/** The first words of what is printed, which the notebook runner looks for. */
export const backgroundError = "Error in the background:";

/**
 * Shows a rejected promise that no code awaits, and an error thrown in a timer, under the cell that ran last. The
 * Jupyter kernel goes on. Replaces tslab's listeners, which print the bare error.
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

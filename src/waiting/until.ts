/** Waiting for a condition instead of for a time. */
import { setTimeout as wait } from "node:timers/promises";
import { native } from "../native";

/** ms between two looks */
const interval = 2;

/** Looks every 2 ms until `condition` holds: the ms it took, Infinity if it did not hold within `timeout` ms. */
export async function msUntil(condition: () => boolean, timeout: number): Promise<number> {
  const start = native.now();
  for (;;) {
    const elapsed = native.now() - start;
    if (condition()) return elapsed;
    if (elapsed >= timeout) return Infinity;
    await wait(interval);
  }
}

/**
 * Waits until the numbers that `look` gives have not changed for `quiet` ms, or until `timeout` ms are over. It expects nothing of the
 * numbers, so a kernel that does other than we think is measured as faithfully.
 */
export async function atRest(
  look: () => number[],
  { quiet = 150, timeout = 2500 }: { quiet?: number; timeout?: number } = {},
): Promise<void> {
  let seen = "";
  let since = native.now();
  await msUntil(() => {
    const now = look().join();
    if (now !== seen) since = native.now();
    seen = now;
    return native.now() - since >= quiet;
  }, timeout);
}

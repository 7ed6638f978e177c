/** Waiting for a condition instead of for a time. All times are ms of CLOCK_MONOTONIC. */
import { setTimeout as wait } from "node:timers/promises";
import { native } from "../native";

/** ms between two checks of the condition */
const defaultInterval = 2;

/** How msUntil() waits. */
export interface LookOptions {
  /** ms between two checks of the condition; default 2 */
  interval?: number;
  /** true: waiting does not keep the process alive, so a program may end meanwhile. Default false */
  background?: boolean;
}

/** When atRest() ends. */
export interface RestOptions {
  /** ms without a change; default 150 */
  quiet?: number;
  /** ms after which it ends although the numbers still change; Infinity: no time limit. Default 2500 */
  timeout?: number;
}

/**
 * Checks `condition` until it holds; the first check is at once. An error that the condition throws ends the wait.
 * @param timeout ms; Infinity: no time limit
 * @returns the ms that it took; Infinity if the condition did not hold within `timeout` ms
 */
export async function msUntil(
  condition: () => boolean,
  timeout: number,
  { interval = defaultInterval, background = false }: LookOptions = {},
): Promise<number> {
  const start = native.now();
  for (;;) {
    const elapsed = native.now() - start;
    if (condition()) return elapsed;
    if (elapsed >= timeout) return Infinity;
    await wait(interval, undefined, { ref: !background });
  }
}

/**
 * Waits until the numbers that `look` gives have not changed for `quiet` ms, or until `timeout` ms are over. It expects
 * no particular numbers, so a kernel that does other than we think is measured as faithfully.
 */
export async function atRest(look: () => number[], { quiet = 150, timeout = 2500 }: RestOptions = {}): Promise<void> {
  let seen = "";
  let since = native.now();
  await msUntil(() => {
    const now = look().join();
    if (now !== seen) since = native.now();
    seen = now;
    return native.now() - since >= quiet;
  }, timeout);
}

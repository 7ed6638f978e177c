/** What readers give as limits of a wait: `timeout` and `quiet`, both in ms. */
import { requireNumber } from "../errors";

/** The longest time of a timer of Node, in ms: a signed 32-bit integer. */
export const longestTimer = 2 ** 31 - 1;

/**
 * A time limit: ms, or Infinity for no time limit.
 * @throws ArgumentError a negative number, or not a number
 */
export function requireTimeout(timeout: number): number {
  return requireNumber(timeout, "timeout (ms)", 0, Infinity);
}

/**
 * ms without a change, after which a wait ends; Infinity: it does not end for this reason.
 * @throws ArgumentError a negative number, or not a number
 */
export function requireQuiet(quiet: number): number {
  return requireNumber(quiet, "quiet (ms)", 0, Infinity);
}

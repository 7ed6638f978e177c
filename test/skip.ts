import type { Context } from "mocha";

/** Skips the running test and says why: the reporter prints the reason. */
export function skip(context: Context, reason: string): never {
  (context.test as unknown as { skipReason: string }).skipReason = reason;
  return context.skip();
}

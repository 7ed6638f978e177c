import type { Context, Runnable } from "mocha";

/** Skips the running test, or in a hook all that it is for, and says why: the reporter prints the reason. */
export function skip(context: Context, reason: string): never {
  const running = context.test as Runnable & { type?: string };
  const skipped = running.type === "hook" ? (context.currentTest ?? running.parent) : running;
  (skipped as unknown as { skipReason: string }).skipReason = reason;
  return context.skip();
}

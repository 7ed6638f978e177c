/** The rhythm of a watch: it looks ten times per second and reports once per interval. */
import { native } from "../native";

/** ms between two looks at what was sampled */
export const lookInterval = 100;

/** Signals that end a watch in order: what is recorded is saved when the terminal is closed, too. */
const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** How long a watch goes on, and what it does meanwhile. */
export interface Pace {
  /** ms between two reports, at least lookInterval */
  interval: number;
  /** ms until the watch ends; default: no limit */
  duration?: number;
  /** resolves when the output has no reader any more */
  left: Promise<"left">;
  /** looks once. @returns the reason to end, or undefined */
  look: () => string | undefined;
  /** reports the interval since the last report */
  report: () => void;
}

/**
 * Looks and reports until look() gives a reason, the duration is over, SIGINT, SIGTERM or SIGHUP comes, or the output
 * has no reader any more.
 * @returns the reason that look() gave, else ""
 * @throws what look() and report() throw
 */
export async function keepWatching({ interval, duration = Infinity, left, look, report }: Pace): Promise<string> {
  const start = native.now();
  let interrupted: () => void = () => undefined;
  const signal = new Promise<"signal">((resolve) => {
    interrupted = () => resolve("signal");
  });
  for (const name of endings) process.once(name, interrupted);
  try {
    for (let next = start + interval; ;) {
      const now = native.now();
      const over = now - start >= duration;
      const reason = look();
      if (reason !== undefined || over || now >= next) report();
      if (now >= next) next = Math.max(next + interval, now);
      if (reason !== undefined) return reason;
      if (over) return "";
      const woken = await pause(Math.max(1, Math.min(lookInterval, next - now, start + duration - now)), signal, left);
      if (woken !== "slept") return "";
    }
  } finally {
    for (const name of endings) process.off(name, interrupted);
  }
}

async function pause<Other>(ms: number, ...others: Promise<Other>[]): Promise<Other | "slept"> {
  let timer: NodeJS.Timeout | undefined;
  const slept = new Promise<"slept">((resolve) => (timer = setTimeout(resolve, ms, "slept")));
  try {
    return await Promise.race([slept, ...others]);
  } finally {
    clearTimeout(timer);
  }
}

/** The arguments of `one-listener watch`. Each parser throws commander's InvalidArgumentError, which names the option. */
import { InvalidArgumentError } from "commander";
import type { Alert } from "../watch/alert";

/** "8080" or ":8080". @throws InvalidArgumentError */
export function portOf(text: string): number {
  const port = Number(/^:?(\d+)$/.exec(text)?.[1]);
  if (!(port >= 1 && port <= 65535))
    throw new InvalidArgumentError("A port is a number from 1 to 65535, such as 8080 or :8080.");
  return port;
}

/** "80%", "overflows", or both with a comma; a second --alert adds to the first. @throws InvalidArgumentError */
export function alertOf(text: string, before: Alert = {}): Alert {
  return text.split(",").reduce<Alert>((alert, part) => {
    if (part === "overflows") return { ...alert, overflows: true };
    const value = Number(/^(\d+(?:\.\d+)?)%$/.exec(part)?.[1]);
    if (!(value > 0 && value <= 100))
      throw new InvalidArgumentError(
        "An alert is a percentage above 0 and up to 100, such as 80%; or overflows; or both, 80%,overflows.",
      );
    return { ...alert, share: Math.min(value / 100, alert.share ?? 1) };
  }, before);
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** "30" (seconds), "500ms", "10m", "24h". @returns ms @throws InvalidArgumentError */
export function durationOf(text: string): number {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const value = Number(number) * units[unit as keyof typeof units];
  if (!(value > 0 && value <= 1e10))
    throw new InvalidArgumentError("A time is a number of seconds, or a number with a unit, such as 500ms, 10m, 24h.");
  return value;
}

/** Samples per second, 1 to 1000. @throws InvalidArgumentError */
export function rateOf(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 1000))
    throw new InvalidArgumentError("The samples per second are a number from 1 to 1000.");
  return value;
}

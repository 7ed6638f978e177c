/** How verdicts word their numbers. */
import { formatNumber } from "../trace/quantity";

/** "1 client", "129 clients", "12 450 clients"; a plural that is not made with "s" is given: "2 switches" */
export function many(count: number, thing: string, things = `${thing}s`): string {
  return `${formatNumber(count)} ${count === 1 ? thing : things}`;
}

/** " (tcp_syncookies = 1)", or nothing where it is not known: every result of an overflow hangs on it */
export function withCookies(cookies: number | undefined): string {
  return cookies === undefined ? "" : ` (tcp_syncookies = ${cookies})`;
}

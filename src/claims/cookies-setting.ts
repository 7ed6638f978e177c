/** " (tcp_syncookies = 1)", or nothing where it is not known: every result of an overflow depends on it. */
export function withCookies(cookies: number | undefined): string {
  return cookies === undefined ? "" : ` (tcp_syncookies = ${cookies})`;
}

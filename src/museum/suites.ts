/** Debian's releases that have user-mode Linux as a package, and which Linux each of them brings. */
import { ArgumentError } from "../errors";

/** A release of Debian, from the oldest. */
export interface Suite {
  /** its code name, as the mirror has it */
  readonly suite: string;
  /** the Linux that it brings; a release that still moves brings newer ones with time */
  readonly series: string;
}

/** From the oldest to the newest. */
export const suites: readonly Suite[] = [
  { suite: "bullseye", series: "5.10" },
  { suite: "bookworm", series: "6.1" },
  { suite: "trixie", series: "6.12" },
  { suite: "sid", series: "7" },
];

/** What the list of suites is for a person: "bullseye (5.10), bookworm (6.1), …". */
export const suiteList = suites.map(({ suite, series }) => `${suite} (${series})`).join(", ");

/** Whether `version` ("6.12.113") is `wanted` ("6.12.113", "6.12", "6") or one of that series: compared part by part, so 6.1 is not 6.12. */
export function isOfSeries(version: string, wanted: string): boolean {
  return version === wanted || version.startsWith(`${wanted}.`);
}

/**
 * The suite that a reader names by its code name ("bookworm") or by its Linux ("6.1", "6.1.176").
 * @throws ArgumentError there is no such suite: lists them
 */
export function suiteOf(name: string): Suite {
  const found = suites.find(({ suite, series }) => suite === name || isOfSeries(name, series));
  if (found === undefined)
    throw new ArgumentError(
      `No release of Debian named "${name}" has user-mode Linux.`,
      `There are ${suiteList}. Another kernel can be installed from a package file: npx one-listener kernels get --package FILE.deb --sha256 HEX`,
    );
  return found;
}

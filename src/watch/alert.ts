/** What ends a watch with an alert. */
import { countOf, formatCount, formatPercent } from "../wording/number";

/** The conditions of --alert; the first one that holds ends the watch. */
export interface Alert {
  /** an accept queue that is at least this full: a share of its capacity, 0 to 1 */
  share?: number;
  /** any drop at a watched listener (sk_drops) */
  drops?: boolean;
  /** any increase of ListenOverflows, whichever listener of the network namespace it was */
  overflows?: boolean;
}

/** What is compared with an Alert. */
export interface AlertState {
  /** share of the capacity of the fullest accept queue, 0 to 1 */
  full: number;
  /** where that queue is: "127.0.0.1:80" */
  fullest: string;
  /** drops at the watched listeners since the watch began */
  drops: number;
  /** increase of ListenOverflows since the watch began */
  overflows: number;
}

/** Why the alert fires, as a sentence without a full stop; undefined if it does not. */
export function causeOf(alert: Alert | undefined, seen: AlertState): string | undefined {
  const { full, fullest, drops, overflows } = seen;
  if (alert?.drops && drops > 0) return `the kernel dropped ${countOf(drops, "segment")} at a watched listener`;
  if (alert?.overflows && overflows > 0)
    return `ListenOverflows increased by ${formatCount(overflows)}: an accept queue of this network namespace was full`;
  if (alert?.share !== undefined && full >= alert.share)
    return `an accept queue of ${fullest} was ${formatPercent(full)} full`;
  return undefined;
}

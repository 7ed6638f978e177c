/** What ends a watch with an alert. */
import { formatCount, formatPercent } from "../wording/number";

/** The conditions of --alert; the first one that holds ends the watch. */
export interface Alert {
  /** an accept queue that is at least this full: a share of its capacity, 0 to 1 */
  share?: number;
  /** any increase of ListenOverflows */
  overflows?: boolean;
}

/** What is compared with an Alert. */
export interface AlertState {
  /** share of the capacity of the fullest accept queue, 0 to 1 */
  full: number;
  /** increase of ListenOverflows since the watch began */
  overflows: number;
  /** which queue it is, for the sentence: "the accept queue of port 8080" */
  queue: string;
}

/** Why the alert fires, as a sentence without a full stop; undefined if it does not. */
export function causeOf(alert: Alert | undefined, { full, overflows, queue }: AlertState): string | undefined {
  if (alert?.overflows && overflows > 0)
    return `ListenOverflows increased by ${formatCount(overflows)}: an accept queue of this network namespace was full`;
  if (alert?.share !== undefined && full >= alert.share) return `${queue} was ${formatPercent(full)} full`;
  return undefined;
}

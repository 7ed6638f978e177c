/** What each colour means. */

/**
 * One colour, one meaning, on every page. Okabe and Ito's set, which colour-blind readers can tell apart, also on a
 * projector. CSS colours, `#RRGGBB`.
 */
export const palette = {
  /** connections that wait for accept() */
  acceptQueue: "#0072B2",
  /** handshakes that wait for the client's final ACK */
  synQueue: "#E69F00",
  /** the capacity of a queue */
  limit: "#D55E00",
  /** what the reader has predicted, and what a client does by hand */
  prediction: "#CC79A7",
  /** connections that the application has */
  accepted: "#009E73",
  /** what the kernel drops, and verdicts of "false" */
  drops: "#D55E00",
  /** what the kernel does with SYN cookies */
  cookies: "#56B4E9",
  /** lines and boxes that carry no number, and verdicts of "undecided" */
  other: "#999999",
} as const;

/** For what is none of these: numbers of one kind under several conditions. */
export const seriesColours = ["#8B5CD6", "#9A8B1F", "#2FA8A0", "#8A6E5D", "#6C7A89"] as const;

/** Beside the colours; another number of them, so that a line is like the first only after thirty. */
export const seriesDashes = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"] as const;

/** How plotly draws a line. */
export type Dash = (typeof seriesDashes)[number];

/** The colour of the series number `at`, from 0; after the last one the first again. */
export function seriesColour(at: number): string {
  return seriesColours.at(at % seriesColours.length) ?? palette.other;
}

/** The dash of the series number `at`, from 0; after the last one the first again. */
export function seriesDash(at: number): Dash {
  return seriesDashes.at(at % seriesDashes.length) ?? "solid";
}

/**
 * Client states that are counted in a recording, from below to above in a picture: the columns of the track "clients".
 */
export const clientStateNames = [
  "established",
  "synSent",
  "reset",
  "refused",
  "timedOut",
  "closedByServer",
  "closed",
  "failed",
  "idle",
] as const;

/** One of {@link clientStateNames}. */
export type ClientStateName = (typeof clientStateNames)[number];

/** Colours of client states, from "not yet" to "gone". */
export const stateColours: Readonly<Record<ClientStateName, string>> = {
  idle: "#D9D9D9",
  synSent: "#E69F00",
  established: "#009E73",
  refused: "#882255",
  timedOut: "#8C564B",
  reset: "#D55E00",
  closedByServer: "#6A3D9A",
  closed: "#999999",
  failed: "#000000",
};

/** What a legend calls each client state. */
export const stateTitles: Readonly<Record<ClientStateName, string>> = {
  idle: "not yet begun",
  synSent: "SYN sent, no answer",
  established: "ESTABLISHED (client side)",
  refused: "refused",
  timedOut: "timed out",
  reset: "reset",
  closedByServer: "closed by the server",
  closed: "closed",
  failed: "failed",
};

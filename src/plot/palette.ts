/** One colour, one meaning, on every page. Okabe and Ito's set: told apart by the colour-blind and on a projector. */
export const palette = {
  acceptQueue: "#0072B2",
  synQueue: "#E69F00",
  limit: "#D55E00",
  prediction: "#CC79A7",
  accepted: "#009E73",
  drops: "#D55E00",
  cookies: "#56B4E9",
  other: "#999999",
} as const;

/** For what is none of these: numbers of one kind under several conditions. */
export const seriesColours = ["#8B5CD6", "#9A8B1F", "#2FA8A0", "#8A6E5D", "#6C7A89"] as const;

/** Beside the colours; another number of them, so that a line is like the first only after thirty. */
export const seriesDashes = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"] as const;

/** Colours of client states, from "not yet" to "gone". */
export const stateColours: Record<string, string> = {
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

/** What a reader calls each client state. */
export const stateTitles: Record<string, string> = {
  idle: "not yet begun",
  synSent: "SYN sent, no answer",
  established: "connected, as they see it",
  refused: "refused",
  timedOut: "timed out",
  reset: "reset",
  closedByServer: "closed by the server",
  closed: "closed",
  failed: "failed",
};

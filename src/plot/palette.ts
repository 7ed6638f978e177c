/**
 * One colour, one meaning, on every page. The colours are Okabe and Ito's set, which the colour-blind tell apart and a projector
 * does not wash out. Words are always in the page's own text colour; the colours are for lines, areas and swatches.
 */
export const palette = {
  acceptQueue: "#0072B2",
  synQueue: "#E69F00",
  /** taken by accept(): in the application's hands */
  accepted: "#009E73",
  drops: "#D55E00",
  cookies: "#CC79A7",
  /** a client that believes it is connected */
  connected: "#56B4E9",
  /** a client whose SYN has no answer */
  unanswered: "#F0E442",
  other: "#999999",
} as const;

/** Client states from the bottom of a stack to its top: colour, and what a reader calls it. */
export const clientStateLooks: Readonly<Record<string, { colour: string; title: string }>> = {
  established: { colour: palette.connected, title: "connected, as they see it" },
  synSent: { colour: palette.unanswered, title: "SYN sent, no answer" },
  reset: { colour: palette.drops, title: "reset" },
  refused: { colour: "#882255", title: "refused" },
  timedOut: { colour: "#8C6D46", title: "timed out" },
  failed: { colour: "#5D5D5D", title: "failed" },
  closedByServer: { colour: "#44AA99", title: "closed by the server" },
  closed: { colour: "#B3B3B3", title: "closed" },
  idle: { colour: "#DDDDDD", title: "not yet begun" },
};

/** Counters from /proc/net/netstat that tell what became of those who did not fit. */
export const counterColours: Readonly<Record<string, string>> = {
  "TcpExt.ListenDrops": palette.drops,
  "TcpExt.ListenOverflows": "#882255",
  "TcpExt.TCPReqQFullDrop": palette.synQueue,
  "TcpExt.TCPReqQFullDoCookies": "#AA4499",
  "TcpExt.SyncookiesSent": palette.cookies,
  "TcpExt.SyncookiesRecv": palette.accepted,
  "TcpExt.SyncookiesFailed": "#8C6D46",
  "TcpExt.TCPAbortOnOverflow": "#5D5D5D",
};

/** For series that have no meaning of their own yet. */
export const sequence = [palette.acceptQueue, palette.synQueue, palette.accepted, palette.cookies, palette.drops, palette.connected] as const;

/**
 * Colours that belong to the page, not to the figure. In a figure they are these neutral stand-ins, legible on white and on black;
 * the script in the page (page.ts) replaces each by the colour of the reader's theme.
 */
export const theme = {
  text: "rgb(117,117,118)",
  faint: "rgb(136,136,137)",
  grid: "rgba(128,128,129,0.25)",
  panel: "rgba(128,128,130,0.09)",
  paper: "rgba(255,255,254,0)",
  halo: "rgba(128,128,131,0.01)",
} as const;

/** The darkest colours get a lighter shade where the page is dark. */
export const onDark: Readonly<Record<string, string>> = {
  [palette.acceptQueue]: "#2A8CD0",
  "#882255": "#C0558E",
  "#AA4499": "#CC66BB",
  "#5D5D5D": "#9A9A9A",
};

/** A palette colour with an opacity, for areas. */
export function translucent(colour: string, opacity: number): string {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return `rgba(${red},${green},${blue},${opacity})`;
}

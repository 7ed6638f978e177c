/**
 * Where things stand in the two-stage picture. Its plane is 256 wide and 172 high, in whole numbers of a byte, so that a frame's
 * hundreds of positions stay small.
 */
import { words, type Json } from "./figure";
import { clientStateLooks, palette, theme } from "./palette";

/** Kinds of dots: a dot's colour is the index of its kind. */
export const kinds = ["idle", "unanswered", "synQueue", "acceptQueue", "accepted", "phantom", "failed"] as const;
export type Kind = (typeof kinds)[number];
const kindColours: Record<Kind, string> = {
  idle: theme.faint,
  unanswered: palette.unanswered,
  synQueue: palette.synQueue,
  acceptQueue: palette.acceptQueue,
  accepted: palette.accepted,
  phantom: palette.cookies,
  failed: clientStateLooks.refused.colour,
};

export const plane = { x: [0, 256], y: [-24, 148] } as const;

interface Box {
  readonly left: number;
  readonly width: number;
  /** the side at which the queue's head stands, or where a crowd begins */
  readonly head: "left" | "right";
}

export const boxes = {
  clients: { left: 4, width: 56, head: "right" },
  synQueue: { left: 84, width: 38, head: "right" },
  acceptQueue: { left: 141, width: 38, head: "right" },
  application: { left: 206, width: 46, head: "left" },
} as const satisfies Record<string, Box>;

const inside = { bottom: 4, height: 96 } as const;

/** px of a unit of the plane on a screen of middling width: what makes spacing look even */
const unitX = 3.4;
const unitY = 2.3;
const largestPitch = { x: 9, y: 13 } as const;

/** How far apart dots are, in units of the plane; one grid for all boxes. */
export interface Grid {
  readonly x: number;
  readonly y: number;
  /** px */
  readonly dot: number;
}

/** The widest grid in which so many dots fit each box. */
export function gridFor(needs: readonly { box: Box; dots: number }[]): Grid {
  let best: Grid = { x: 1, y: 1, dot: 3 };
  let bestRoom = 0;
  for (let x = 1; x <= largestPitch.x; x++) {
    const rows = Math.max(...needs.map(({ box, dots }) => Math.ceil(dots / Math.max(1, Math.floor(box.width / x)))), 1);
    const y = Math.min(largestPitch.y, Math.floor(inside.height / rows));
    const room = Math.min(x * unitX, y * unitY);
    if (y >= 1 && room > bestRoom) {
      bestRoom = room;
      best = { x, y, dot: Math.max(3, Math.min(20, Math.round(room * 0.74))) };
    }
  }
  return best;
}

/** Place number `n` of a box, counted from its head, column by column. */
export function place(box: Box, grid: Grid, n: number): { x: number; y: number } {
  const columns = Math.max(1, Math.floor(box.width / grid.x));
  const rows = Math.max(1, Math.floor(inside.height / grid.y));
  const column = Math.floor(n / rows) % columns;
  const margin = Math.floor((box.width - (columns - 1) * grid.x) / 2);
  const x = box.head === "left" ? box.left + margin + column * grid.x : box.left + box.width - margin - column * grid.x;
  const spare = Math.floor((inside.height - (rows - 1) * grid.y) / 2);
  return { x, y: inside.bottom + inside.height - spare - (n % rows) * grid.y };
}

/** Dots of all kinds. Positions and kinds are bytes. */
export function dotsTrace(x: Uint8Array, y: Uint8Array, kind: Uint8Array, grid: Grid): Json {
  return {
    type: "scatter", mode: "markers", x: bytes(x), y: bytes(y), hoverinfo: "skip", cliponaxis: false,
    marker: {
      size: grid.dot, opacity: 1, line: { width: 0 }, color: bytes(kind), cmin: 0, cmax: kinds.length - 1, showscale: false,
      colorscale: kinds.map((name, i) => [i / (kinds.length - 1), kindColours[name]]),
    },
  };
}

/** Empty places, for queues whose limit fits the picture. */
export function ringsTrace(places: readonly { box: Box; count: number }[], grid: Grid): Json {
  const rings = places.flatMap(({ box, count }) => Array.from({ length: count }, (_, n) => place(box, grid, n)));
  return {
    type: "scatter", mode: "markers", x: rings.map(({ x }) => x), y: rings.map(({ y }) => y), hoverinfo: "skip",
    marker: { symbol: "circle-open", size: grid.dot, color: theme.faint, opacity: 0.45, line: { width: 1 } },
  };
}

/** Plotly's form of a byte array. */
export function bytes(values: Uint8Array): Json {
  return { dtype: "u1", bdata: Buffer.from(values).toString("base64") };
}

/** Boxes, arrows and titles: what does not move. */
export function sceneDecoration(): { shapes: Json[]; annotations: Json[] } {
  const top = inside.bottom + inside.height;
  const box = ({ left, width }: Box, colour: string, dash: string): Json => ({
    type: "rect", xref: "x", yref: "y", x0: left - 3, x1: left + width + 3, y0: inside.bottom - 4, y1: top + 4, layer: "below", fillcolor: theme.panel, line: { color: colour, width: 2, dash },
  });
  const title = ({ left, width }: Box, text: string): Json => words(`<b>${text}</b>`, left + width / 2, top + 24, { xref: "x", yref: "y", xanchor: "center", font: { size: 16, color: theme.text } });
  const middle = inside.bottom + inside.height / 2;
  const arrow = (from: Box, to: Box, text: string): Json[] => [
    { xref: "x", yref: "y", axref: "x", ayref: "y", x: to.left - 4, y: middle, ax: from.left + from.width + 4, ay: middle, text: "", showarrow: true, arrowhead: 2, arrowsize: 1.1, arrowwidth: 2.5, arrowcolor: theme.faint },
    words(text, (from.left + from.width + to.left) / 2, middle + 3, { xref: "x", yref: "y", xanchor: "center", yanchor: "bottom", bgcolor: theme.halo, font: { size: 14, color: theme.text } }),
  ];
  const { clients, synQueue, acceptQueue, application } = boxes;
  const kernel = { x0: synQueue.left - 8, x1: acceptQueue.left + acceptQueue.width + 8 };
  return {
    shapes: [
      { type: "rect", xref: "x", yref: "y", ...kernel, y0: inside.bottom - 9, y1: top + 34, layer: "below", line: { color: theme.faint, width: 1.5, dash: "dot" } },
      box(clients, theme.grid, "solid"), box(synQueue, palette.synQueue, "solid"), box(acceptQueue, palette.acceptQueue, "solid"), box(application, palette.accepted, "solid"),
    ],
    annotations: [
      title(clients, "clients"), title(synQueue, "SYN queue"), title(acceptQueue, "accept queue"), title(application, "application"),
      ...arrow(clients, synQueue, "SYN"), ...arrow(synQueue, acceptQueue, "ACK"), ...arrow(acceptQueue, application, "accept()"),
      words("kernel", (kernel.x0 + kernel.x1) / 2, top + 34, { xref: "x", yref: "y", xanchor: "center", yanchor: "middle", bgcolor: theme.halo, font: { size: 14, color: theme.faint } }),
    ],
  };
}

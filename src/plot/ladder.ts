import type { Annotations, Shape } from "plotly.js";
import type { KernelView, LadderStep } from "../ladder/ladder";
import { formatTime } from "../wording/number";
import { baseLayout, type Figure } from "./figure";
import { palette, stateColours } from "./palette";

/** What a ladder is drawn from: a Ladder, or the steps of one. */
export type LadderSource =
  | {
      /** the steps, in the order of time */
      readonly steps: readonly LadderStep[];
    }
  | readonly LadderStep[];

/** Where the three lines stand, in the picture's own unit. */
const x = { client: 0, kernel: 1, application: 2 } as const;
const titles = { client: "client (by hand)", kernel: "kernel", application: "application" } as const;
/** of a step, in pixels */
const rowHeight = 56;

const placeColours: Record<KernelView["place"], string> = {
  nowhere: palette.other,
  "SYN queue": palette.synQueue,
  "accept queue": palette.acceptQueue,
  descriptor: palette.accepted,
  orphan: palette.other,
};

/** The state of the client's end, by what the client has sent and heard; the kernel may know better. */
type Belief = "" | "SYN_SENT" | "ESTABLISHED (client side)" | "refused" | "reset" | "FIN sent" | "gone";

const beliefColours: Record<Belief, string> = {
  "": palette.other,
  SYN_SENT: stateColours.synSent,
  "ESTABLISHED (client side)": stateColours.established,
  refused: stateColours.refused,
  reset: stateColours.reset,
  "FIN sent": stateColours.closed,
  gone: stateColours.closed,
};

/**
 * The client's state after a step. An ACK with a wrong number establishes nothing; a RST that acknowledges nothing is
 * no answer to a SYN (RFC 9293, 3.10.7.3).
 */
function believes(before: Belief, step: LadderStep): Belief {
  const flags = step.label.split(", ");
  if (step.from === "client") return afterSending(before, flags, step.detail);
  if (step.to !== "client" || !flags.includes("RST")) return before;
  if (before === "SYN_SENT") return flags.includes("ACK") ? "refused" : before;
  return before === "gone" ? before : "reset";
}

function afterSending(before: Belief, flags: readonly string[], detail: string): Belief {
  if (flags.includes("RST")) return "gone";
  if (flags.includes("SYN")) return before === "" ? "SYN_SENT" : before;
  if (flags.includes("FIN")) return "FIN sent";
  const acknowledged = /\back (\d+)/.exec(detail)?.[1];
  return before === "" || (before === "SYN_SENT" && acknowledged === "1") ? "ESTABLISHED (client side)" : before;
}

/** A step with its place in the picture, and with what is new in it. */
interface Row {
  readonly step: LadderStep;
  /** from 1, downwards */
  readonly y: number;
  /** where the bars of the states end: at the next step, or a little below the last one */
  readonly bottom: number;
  readonly belief: Belief;
  /** the client's state has changed */
  readonly beliefIsNew: boolean;
  /** where the kernel keeps the connection has changed */
  readonly placeIsNew: boolean;
}

function rowsOf(steps: readonly LadderStep[]): Row[] {
  let belief: Belief = "";
  let place: string | undefined;
  return steps.map((step, at) => {
    const [beliefBefore, placeBefore] = [belief, place];
    belief = believes(belief, step);
    place = placeWords(step.after);
    return {
      step,
      y: at + 1,
      bottom: at + 1 + (at === steps.length - 1 ? 0.75 : 1),
      belief,
      beliefIsNew: belief !== beliefBefore,
      placeIsNew: place !== placeBefore,
    };
  });
}

/**
 * Who said what, and where did the kernel keep the connection? Time runs downwards, a step a row: client, kernel,
 * application. Beside the kernel's line stands the connection's place (SYN queue, accept queue, a descriptor), beside
 * the client's line its own state.
 */
export function ladder(source: LadderSource): Figure {
  const rows = rowsOf("steps" in source ? source.steps : source);
  return {
    data: [hoverPoints(rows)],
    layout: {
      ...baseLayout(Math.max(220, 70 + (rows.length + 1) * rowHeight)),
      margin: { l: 10, r: 10, t: 20, b: 16 },
      hovermode: "closest",
      xaxis: { range: [-0.22, 2.3], visible: false, fixedrange: true },
      yaxis: { range: [rows.length + 0.9, -0.15], visible: false, fixedrange: true },
      shapes: [...Object.values(x).map((at) => lifeline(at, rows.length)), ...rows.flatMap(stateBars)],
      annotations: [
        ...(["client", "kernel", "application"] as const).map(heading),
        ...rows.flatMap((row) => [...message(row), clock(row), ...news(row)]),
      ],
    },
    text: [
      "client → kernel → application, and where the kernel keeps the connection:",
      ...rows.map(({ step: { time, from, to, label, detail, after }, belief, beliefIsNew }) => {
        const way = from === to ? from : `${from} → ${to}`;
        const said = detail ? `${label} (${detail})` : label;
        const change = beliefIsNew ? `; the client: ${belief}` : "";
        return `  +${formatTime(time)}  ${way}: ${said}; then ${placeWords(after)}${change}`;
      }),
    ].join("\n"),
  };
}

/** What the pointer shows; the arrows are annotations, which have no hover text of this kind. */
function hoverPoints(rows: readonly Row[]): Figure["data"][number] {
  return {
    type: "scatter",
    mode: "markers",
    x: rows.map(({ step: { from, to } }) => (x[from] + x[to]) / 2),
    y: rows.map(({ y }) => y),
    marker: { size: 26, opacity: 0 },
    showlegend: false,
    text: rows.map(
      ({ step: { notation, label, after } }) =>
        `${escapeTags(notation ?? label)}<br>SYN queue ${after.synQueue}, accept queue ${after.acceptQueue}`,
    ),
    hovertemplate: "%{text}<extra></extra>",
  };
}

function lifeline(at: number, rows: number): Partial<Shape> {
  return {
    type: "line",
    x0: at,
    x1: at,
    y0: 0.3,
    y1: rows + 0.75,
    line: { color: palette.other, width: 1.5 },
    layer: "below",
  };
}

function heading(name: keyof typeof titles): Partial<Annotations> {
  const text = `<b>${titles[name]}</b>`;
  return { x: x[name], y: 0.3, yanchor: "bottom", text, showarrow: false, font: { size: 17 } };
}

/** The bars on the client's and the kernel's line, from this step to the next. */
function stateBars({ step: { after }, y, bottom, belief }: Row): Partial<Shape>[] {
  const bar = (at: number, halfWidth: number, colour: string): Partial<Shape> => ({
    type: "rect",
    x0: at - halfWidth,
    x1: at + halfWidth,
    y0: y,
    y1: bottom,
    fillcolor: colour,
    line: { width: 0 },
  });
  const faint = after.place === "nowhere" || after.place === "orphan";
  return [
    ...(belief === "" ? [] : [bar(x.client, 0.012, beliefColours[belief])]),
    { ...bar(x.kernel, 0.022, placeColours[after.place]), opacity: faint ? 0.25 : 1 },
  ];
}

/** The arrow of a step with its label, or the label alone where a side acts without a segment or a call. */
function message({ step, y }: Row): Partial<Annotations>[] {
  const detail = step.detail ? `  <span style="font-size:13px">${escapeTags(step.detail)}</span>` : "";
  const words: Partial<Annotations> = {
    yanchor: "bottom",
    text: `<b>${escapeTags(step.label)}</b>${detail}`,
    showarrow: false,
    font: { size: 15 },
  };
  const [from, to] = [x[step.from], x[step.to]];
  if (from === to) return [{ ...words, x: from + 0.05, xanchor: "left", y: y + 0.08 }];
  // arrows end beside the kernel's bar
  const inset = (end: number, other: number) => end + (other > end ? 0.025 : -0.025);
  return [
    {
      x: inset(to, from),
      y: y + 0.12,
      ax: inset(from, to),
      ay: y - 0.12,
      xref: "x",
      yref: "y",
      axref: "x",
      ayref: "y",
      text: "",
      showarrow: true,
      arrowhead: 2,
      arrowsize: 1.3,
      arrowwidth: 2.2,
      arrowcolor: step.from === "client" || step.to === "client" ? palette.prediction : palette.other,
    },
    { ...words, x: (from + to) / 2, y: y - 0.04, bgcolor: "rgba(0,0,0,0)" },
  ];
}

/** When it was, since the first step. */
function clock({ step: { time }, y }: Row): Partial<Annotations> {
  const text = y === 1 ? "0" : `+${formatTime(time)}`;
  return { x: -0.03, xanchor: "right", y, text, showarrow: false, font: { size: 13 } };
}

/** The new state of the client, and the new place in the kernel, beside their bars. */
function news({ step: { after }, y, belief, beliefIsNew, placeIsNew }: Row): Partial<Annotations>[] {
  const note = (at: number, colour: string, words: string): Partial<Annotations> => ({
    x: at,
    xanchor: "left",
    y: y + 0.38,
    text: `<span style="color:${colour}">■</span> ${words}`,
    showarrow: false,
    font: { size: 13 },
  });
  return [
    ...(beliefIsNew ? [note(x.client + 0.03, beliefColours[belief], belief)] : []),
    ...(placeIsNew ? [note(x.kernel + 0.05, placeColours[after.place], placeWords(after))] : []),
  ];
}

/** "ESTABLISHED, in the accept queue, no fd". */
function placeWords({ state, place, fd }: KernelView): string {
  switch (place) {
    case "nowhere":
      return "no entry";
    case "SYN queue":
      return "SYN_RECV, in the SYN queue, no fd";
    case "accept queue":
      return `${state}, in the accept queue, no fd`;
    case "descriptor":
      return `${state}, fd ${fd ?? "?"}`;
    case "orphan":
      return `${state}, fd closed`;
  }
}

/** Escapes a label: Plotly reads a few tags (b, br, span) in texts, and a segment's data could contain one. */
function escapeTags(text: string): string {
  return text.replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

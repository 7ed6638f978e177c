import { formatTime } from "../wording/number";
import { type KernelView, type LadderStep } from "../ladder/ladder";
import { baseLayout, type Figure } from "./figure";
import { palette, stateColours } from "./palette";

/** What a ladder is drawn from: a Ladder, or the steps of one. */
export type LadderSource = { readonly steps: readonly LadderStep[] } | readonly LadderStep[];

const x = { client: 0, kernel: 1, application: 2 } as const;
const rowHeight = 56;

const placeColours: Record<KernelView["place"], string> = {
  nowhere: palette.other,
  "SYN queue": palette.synQueue,
  "accept queue": palette.acceptQueue,
  descriptor: palette.accepted,
  orphan: palette.other,
};

/** What the client must believe by what it has sent and heard; the kernel may know better. */
type Belief = "" | "SYN_SENT" | "connected, as it sees it" | "refused" | "reset" | "FIN sent" | "gone";

const beliefColours: Record<Belief, string> = {
  "": palette.other,
  SYN_SENT: stateColours.synSent,
  "connected, as it sees it": stateColours.established,
  refused: stateColours.refused,
  reset: stateColours.reset,
  "FIN sent": stateColours.closed,
  gone: stateColours.closed,
};

/** The client's belief after a step. An ACK with a wrong number connects nobody; a RST that acknowledges nothing is no answer to a SYN (RFC 9293, 3.10.7.3). */
function believes(before: Belief, { from, to, label, detail }: LadderStep): Belief {
  const flags = label.split(", ");
  if (from === "client") {
    if (flags.includes("RST")) return "gone";
    if (flags.includes("SYN")) return before === "" ? "SYN_SENT" : before;
    if (flags.includes("FIN")) return "FIN sent";
    const acknowledged = /\back (\d+)/.exec(detail)?.[1];
    return before === "" || (before === "SYN_SENT" && acknowledged === "1") ? "connected, as it sees it" : before;
  }
  if (to !== "client" || !flags.includes("RST")) return before;
  if (before === "SYN_SENT") return flags.includes("ACK") ? "refused" : before;
  return before === "gone" ? before : "reset";
}

/** Time runs downwards, a step a row: client, kernel, application; on the kernel's line, where it keeps the connection; on the client's, what it believes. */
export function ladder(source: LadderSource): Figure {
  const steps = "steps" in source ? source.steps : source;
  const rows = steps.length;
  const beliefs: Belief[] = [];
  for (const step of steps) beliefs.push(believes(beliefs[beliefs.length - 1] ?? "", step));
  const shapes: Record<string, unknown>[] = Object.values(x).map((at) => ({
    type: "line",
    x0: at,
    x1: at,
    y0: 0.3,
    y1: rows + 0.75,
    line: { color: palette.other, width: 1.5 },
    layer: "below",
  }));
  const annotations: Record<string, unknown>[] = Object.entries(x).map(([name, at]) => ({
    x: at,
    y: 0.3,
    yanchor: "bottom",
    text: `<b>${title[name as keyof typeof title]}</b>`,
    showarrow: false,
    font: { size: 17 },
  }));
  steps.forEach((step, at) => {
    const y = at + 1;
    const colour = step.from === "client" || step.to === "client" ? palette.prediction : palette.other;
    const [from, to] = [x[step.from], x[step.to]];
    // arrows end beside the kernel's bar
    const inset = (end: number, other: number) => end + (other > end ? 0.025 : -0.025);
    const words = `<b>${escape(step.label)}</b>${step.detail ? `  <span style="font-size:13px">${step.detail}</span>` : ""}`;
    if (from === to)
      annotations.push({
        x: from + 0.05,
        xanchor: "left",
        y: y + 0.08,
        yanchor: "bottom",
        text: words,
        showarrow: false,
        font: { size: 15 },
      });
    else
      annotations.push(
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
          arrowcolor: colour,
        },
        {
          x: (from + to) / 2,
          y: y - 0.04,
          yanchor: "bottom",
          text: words,
          showarrow: false,
          font: { size: 15 },
          bgcolor: "rgba(0,0,0,0)",
        },
      );
    annotations.push({
      x: -0.03,
      xanchor: "right",
      y,
      text: at === 0 ? "0" : `+${formatTime(step.time)}`,
      showarrow: false,
      font: { size: 13 },
    });
    const belief = beliefs[at];
    const bottom = y + (at === rows - 1 ? 0.75 : 1);
    if (belief !== "")
      shapes.push({
        type: "rect",
        x0: -0.012,
        x1: 0.012,
        y0: y,
        y1: bottom,
        fillcolor: beliefColours[belief],
        line: { width: 0 },
      });
    if (belief !== (beliefs[at - 1] ?? "")) {
      annotations.push({
        x: 0.03,
        xanchor: "left",
        y: y + 0.38,
        text: `<span style="color:${beliefColours[belief]}">■</span> ${belief}`,
        showarrow: false,
        font: { size: 13 },
      });
    }
    const { place } = step.after;
    shapes.push({
      type: "rect",
      x0: 0.978,
      x1: 1.022,
      y0: y,
      y1: bottom,
      fillcolor: placeColours[place],
      line: { width: 0 },
      opacity: place === "nowhere" || place === "orphan" ? 0.25 : 1,
    });
    const before = steps[at - 1]?.after;
    if (before === undefined || wordsFor(before) !== wordsFor(step.after)) {
      annotations.push({
        x: 1.05,
        xanchor: "left",
        y: y + 0.38,
        text: `<span style="color:${placeColours[place]}">■</span> ${wordsFor(step.after)}`,
        showarrow: false,
        font: { size: 13 },
      });
    }
  });
  return {
    data: [
      {
        // what the pointer shows; the arrows are drawn above
        type: "scatter",
        mode: "markers",
        x: steps.map(({ from, to }) => (x[from] + x[to]) / 2),
        y: steps.map((_, at) => at + 1),
        marker: { size: 26, opacity: 0 },
        showlegend: false,
        text: steps.map(
          ({ notation, label, after }) =>
            `${escape(notation ?? label)}<br>SYN queue ${after.synQueue}, accept queue ${after.acceptQueue}`,
        ),
        hovertemplate: "%{text}<extra></extra>",
      },
    ],
    layout: {
      ...baseLayout(Math.max(220, 70 + (rows + 1) * rowHeight)),
      margin: { l: 10, r: 10, t: 20, b: 16 },
      hovermode: "closest",
      xaxis: { range: [-0.22, 2.3], visible: false, fixedrange: true },
      yaxis: { range: [rows + 0.9, -0.15], visible: false, fixedrange: true },
      shapes,
      annotations,
    },
    text: [
      "client → kernel → application, and where the kernel keeps the connection:",
      ...steps.map(({ time, from, to, label, detail, after }, at) => {
        const news = beliefs[at] === (beliefs[at - 1] ?? "") ? "" : `; the client: ${beliefs[at]}`;
        return `  +${formatTime(time)}  ${from === to ? from : `${from} → ${to}`}: ${label}${detail ? ` (${detail})` : ""}; then ${wordsFor(after)}${news}`;
      }),
    ].join("\n"),
  };
}

const title = { client: "client (by hand)", kernel: "kernel", application: "application" } as const;

/** "ESTABLISHED, in the accept queue". */
function wordsFor({ state, place, fd }: KernelView): string {
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

function escape(text: string): string {
  return text.replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

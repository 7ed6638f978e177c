import { formatTime, type KernelView, type LadderStep } from "../trace";
import { baseLayout, type Figure } from "./figure";
import { palette } from "./palette";

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

/** Time runs downwards, a step a row: client, kernel, application; on the kernel's line, where it keeps the connection. */
export function ladder(source: LadderSource): Figure {
  const steps = "steps" in source ? source.steps : source;
  const rows = steps.length;
  const shapes: Record<string, unknown>[] = Object.values(x).map((at) => ({ type: "line", x0: at, x1: at, y0: 0.3, y1: rows + 0.75, line: { color: palette.other, width: 1.5 }, layer: "below" }));
  const annotations: Record<string, unknown>[] = Object.entries(x).map(([name, at]) => ({ x: at, y: 0.3, yanchor: "bottom", text: `<b>${title[name as keyof typeof title]}</b>`, showarrow: false, font: { size: 17 } }));
  steps.forEach((step, at) => {
    const y = at + 1;
    const colour = step.from === "client" || step.to === "client" ? palette.prediction : palette.other;
    const [from, to] = [x[step.from], x[step.to]];
    // arrows end beside the kernel's bar
    const inset = (end: number, other: number) => end + (other > end ? 0.025 : -0.025);
    annotations.push(
      { x: inset(to, from), y: y + 0.12, ax: inset(from, to), ay: y - 0.12, xref: "x", yref: "y", axref: "x", ayref: "y", text: "", showarrow: true, arrowhead: 2, arrowsize: 1.3, arrowwidth: 2.2, arrowcolor: colour },
      { x: (from + to) / 2, y: y - 0.04, yanchor: "bottom", text: `<b>${escape(step.label)}</b>${step.detail ? `  <span style="font-size:13px">${step.detail}</span>` : ""}`, showarrow: false, font: { size: 15 }, bgcolor: "rgba(0,0,0,0)" },
      { x: -0.03, xanchor: "right", y, text: at === 0 ? "0" : `+${formatTime(step.time)}`, showarrow: false, font: { size: 13 } },
    );
    const { place } = step.after;
    shapes.push({ type: "rect", x0: 0.978, x1: 1.022, y0: y, y1: y + (at === rows - 1 ? 0.75 : 1), fillcolor: placeColours[place], line: { width: 0 }, opacity: place === "nowhere" || place === "orphan" ? 0.25 : 1 });
    const before = steps[at - 1]?.after;
    if (before === undefined || wordsFor(before) !== wordsFor(step.after)) {
      annotations.push({ x: 1.05, xanchor: "left", y: y + 0.38, text: `<span style="color:${placeColours[place]}">■</span> ${wordsFor(step.after)}`, showarrow: false, font: { size: 13 } });
    }
  });
  return {
    data: [{
      // what the pointer shows; the arrows are drawn above
      type: "scatter", mode: "markers", x: steps.map(({ from, to }) => (x[from] + x[to]) / 2), y: steps.map((_, at) => at + 1), marker: { size: 26, opacity: 0 }, showlegend: false,
      text: steps.map(({ notation, label, after }) => `${escape(notation ?? label)}<br>SYN queue ${after.synQueue}, accept queue ${after.acceptQueue}`), hovertemplate: "%{text}<extra></extra>",
    }],
    layout: {
      ...baseLayout(Math.max(220, 70 + (rows + 1) * rowHeight)),
      margin: { l: 10, r: 10, t: 20, b: 16 },
      hovermode: "closest",
      xaxis: { range: [-0.22, 2.3], visible: false, fixedrange: true },
      yaxis: { range: [rows + 0.9, -0.15], visible: false, fixedrange: true },
      shapes,
      annotations,
    },
    text: ["client → kernel → application, and where the kernel keeps the connection:", ...steps.map(({ time, from, to, label, detail, after }) => `  +${formatTime(time)}  ${from} → ${to}: ${label}${detail ? ` (${detail})` : ""}; then ${wordsFor(after)}`)].join("\n"),
  };
}

const title = { client: "client (by hand)", kernel: "kernel", application: "application" } as const;

/** "ESTABLISHED, in the accept queue". */
function wordsFor({ state, place, fd }: KernelView): string {
  switch (place) {
    case "nowhere": return "no entry";
    case "SYN queue": return "SYN_RECV, in the SYN queue, no fd";
    case "accept queue": return `${state}, in the accept queue, no fd`;
    case "descriptor": return `${state}, fd ${fd ?? "?"}`;
    case "orphan": return `${state}, fd closed`;
  }
}

function escape(text: string): string {
  return text.replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

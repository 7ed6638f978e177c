/**
 * The one stylesheet of everything that is shown under a cell. It is written into each element's style attribute, and
 * not into a style element: JupyterLab cleans the outputs of a notebook that is not trusted, and its sanitizer drops a
 * style element with its content, and keeps style attributes except for values with var() (tried with JupyterLab 4.5,
 * and kept by test/browser). A committed notebook that a reader opens for the first time is such a notebook. A page of
 * our own (the feedback of the grader) has no sanitizer, and a stylesheet of its own.
 */
import { escapeHtml, trusted, type Html } from "./html";

/** A ground in a colour of the page's theme. The sanitizer drops `var()`, and then the plain colour before it holds. */
function themed(variable: string, colour: string): string {
  return `background-color:${colour};background:var(${variable},${colour})`;
}

const styles = {
  /** a message with a coloured edge; give "border-left-color" */
  card: `border-left:6px solid;padding:.5em 1em;margin:.4em 0;font-size:1.05em;line-height:1.5;${themed("--jp-layout-color2", "rgba(128,128,128,.12)")}`,
  /** a headline over a table */
  headline: "font-size:1.3em;margin:.3em 0",
  /** what matters less */
  faint: "opacity:.7",
  /** rows of numbers and words */
  table: "font-size:1em;margin:.4em 0",
  /** a cell of words, which may wrap */
  textCell: "text-align:left;padding:.25em .9em;white-space:normal",
  /** a cell of a number, which may not */
  numberCell: "text-align:right;padding:.25em .9em;white-space:nowrap",
  /** the rows of a verdict: a mark, what was tested, points */
  markCell: "text-align:left;vertical-align:top",
  testCell: "text-align:left",
  pointsCell: "text-align:right;vertical-align:top;white-space:nowrap",
  /** the message of a test that failed */
  story: "margin:.2em 0 .4em 1em",
  /** a share as a bar: the track, and in it what is done; give the fill's "width" and "background" */
  smallTrack: `${themed("--jp-border-color2", "#ddd")};width:8em;height:.7em`,
  smallFill: "height:100%",
  /** the progress of something long, over the width of the cell */
  progress: "max-width:860px;margin:.4em 0",
  progressWords: "font-size:1.05em",
  track: "height:14px;background:rgba(128,128,128,.25)",
  fill: "height:14px",
  /** a packet's bytes, 32 bits a row; give a field's "border-color" and "background" */
  packet: "border-collapse:collapse;table-layout:fixed;width:100%;max-width:860px;margin:.4em 0;text-align:left",
  packetOffset: "width:3em;text-align:right;opacity:.6;padding:0 .6em",
  packetField: "border:1px solid;padding:.25em .5em;vertical-align:top;text-align:left",
  packetName: "font-size:.8em;opacity:.85;white-space:normal;line-height:1.2",
  packetBytes: "background:none;font-size:1.05em",
  packetValue: "font-size:.85em;white-space:normal;line-height:1.2",
  /** the place of a plot; give "min-height" */
  plot: "width:100%",
} as const;

/** A row of the stylesheet. */
export type StyleName = keyof typeof styles;

/**
 * The style attribute of an element: `` html`<div ${style("card", { "border-left-color": palette.accepted })}>…</div>`
 * ``.
 * @param name a row of the stylesheet, or several
 * @param own what is this element's alone, CSS property by CSS property: a colour, a width
 */
export function style(name: StyleName | readonly StyleName[], own: Readonly<Record<string, string>> = {}): Html {
  const names = typeof name === "string" ? [name] : name;
  const declarations = [
    ...names.map((each) => styles[each]),
    ...Object.entries(own).map(([property, value]) => `${property}:${value}`),
  ];
  return trusted(`style="${escapeHtml(declarations.join(";"))}"`);
}

import { theme } from "./palette";

/** Colours of the reader's theme, with what stands in for them outside Jupyter. */
export const css = {
  background: "var(--jp-layout-color2,rgba(128,128,128,0.1))",
  faint: "var(--jp-content-font-color2,#777)",
  line: `var(--jp-border-color2,${theme.grid})`,
} as const;

/** A box with a coloured edge. Works without its styles too: sanitized notebooks keep the words. */
export function card(colour: string, edge: "solid" | "dashed", body: string): string {
  return `<div style="border-left:6px ${edge} ${colour};padding:0.5em 1em;margin:0.4em 0;max-width:60em;font-size:1.05em;line-height:1.5;background:${css.background}">${body}</div>`;
}

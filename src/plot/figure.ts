import { inspect } from "node:util";
import { theme } from "./palette";

export type Json = Record<string, unknown>;

/** A plotly figure as plain data, and the same in words. */
export interface Figure {
  data: Json[];
  layout: Json;
  frames?: Json[];
  config?: Json;
  /** a true text alternative, made from the same data */
  text: string;
}

export const fontSize = 15;
export const smallFontSize = 14;

/** What each plotly figure of ours shares. */
const config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };

/** A Figure that prints its words, not its thousands of numbers. */
export function figure(parts: Figure): Figure {
  const made: Figure = { ...parts, config: { ...config, ...parts.config } };
  return Object.defineProperty(made, inspect.custom, { value: () => made.text });
}

/** The part of a layout that every figure has. */
export function baseLayout(height: number): Json {
  return {
    height,
    autosize: true,
    font: { size: fontSize, family: "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif", color: theme.text },
    paper_bgcolor: theme.paper,
    plot_bgcolor: theme.paper,
    hoverlabel: { bgcolor: theme.halo, bordercolor: theme.grid, font: { size: smallFontSize, color: theme.text } },
    modebar: { bgcolor: theme.paper, color: theme.faint, activecolor: theme.text },
    showlegend: false,
  };
}

/** An axis of a figure: light grid, no zero line, title in the text's colour. */
export function axis(title: string, more: Json = {}): Json {
  return { title: { text: title, standoff: 8, font: { size: fontSize } }, gridcolor: theme.grid, linecolor: theme.grid, zeroline: false, tickfont: { size: smallFontSize }, ...more };
}

/** Words in a figure, placed by the paper (0 to 1) and shifted by pixels. */
export function words(text: string, x: number, y: number, more: Json = {}): Json {
  return { xref: "paper", yref: "paper", x, y, text, showarrow: false, xanchor: "left", yanchor: "middle", align: "left", font: { size: smallFontSize, color: theme.text }, ...more };
}

/** A square in a series' colour, for labels that stand in for a legend. */
export function swatch(colour: string): string {
  return `<span style="color:${colour}">■</span>`;
}

/** Characters that plotly would read as its own markup. */
export function plain(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** How wide a line of text is drawn, px, about: no browser is at hand to ask. */
export function textWidth(text: string, size: number = smallFontSize): number {
  return [...text.replaceAll(/<[^>]*>|&\w+;/g, "x")].length * size * 0.56;
}

/** The power of ten below which digits of numbers up to `span` cannot be seen in a picture. */
export function rounder(span: number): (value: number) => number {
  const digits = Math.min(12, Math.max(0, Math.ceil(Math.log10(20_000 / (span || 1)))));
  return (value) => Number(value.toFixed(digits));
}

import { ArgumentError } from "../errors";
import { formatNumber, textTable } from "../trace";
import { css } from "./card";
import { show, type Fragment } from "./display";
import { escapeHtml } from "./html";

export interface TableOptions {
  /** which fields, in which order; default: all that occur, in the order of their first occurrence */
  columns?: readonly string[];
  /** rows shown at most; the rest is counted. Default 200 */
  most?: number;
}

/** Rows as a table: html that fits the page's theme, and aligned text. Numbers stand to the right. */
export function tableFragment(rows: readonly object[], { columns, most = 200 }: TableOptions = {}): Fragment {
  if (!Array.isArray(rows)) throw new ArgumentError("table() takes an array of objects.");
  if (rows.length === 0) return { html: `<p style="color:${css.faint}"><i>no rows</i></p>`, text: "(no rows)" };
  const names = columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const values = rows.slice(0, most).map((row) => names.map((name) => (row as Record<string, unknown>)[name]));
  const right = names.map((_, at) => values.every((row) => typeof row[at] === "number" || row[at] === undefined) && values.some((row) => row[at] !== undefined));
  const style = (at: number): string => `style="text-align:${right[at] ? "right" : "left"};padding:0.25em 0.9em;${right[at] ? "white-space:nowrap;font-variant-numeric:tabular-nums" : "white-space:pre-wrap"}"`;
  const line = (tag: "th" | "td", cells: readonly string[]): string => `<tr>${cells.map((cell, at) => `<${tag} ${style(at)}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;
  const more = rows.length > values.length ? `… and ${formatNumber(rows.length - values.length)} more rows` : undefined;
  const cells = values.map((row) => row.map(cellText));
  return {
    html: `<table style="font-size:1em;margin:0.4em 0;border-collapse:collapse"><thead style="border-bottom:1px solid ${css.line}">${line("th", names)}</thead><tbody>${cells.map((row) => line("td", row)).join("")}</tbody></table>${more ? `<p style="color:${css.faint}">${more}</p>` : ""}`,
    text: [textTable(names.map((title, at) => ({ title, align: right[at] ? "right" : "left" })), cells), ...(more ? [more] : [])].join("\n"),
  };
}

/** Shows rows as a table. */
export function table(rows: readonly object[], options: TableOptions = {}): void {
  show(tableFragment(rows, options));
}

function cellText(value: unknown): string {
  // descriptors, ports and inodes are names, not amounts: no thousands separator in them
  if (typeof value === "number") return Math.abs(value) < 100_000 && Number.isFinite(value) ? String(Number(value.toFixed(2))) : formatNumber(value);
  if (value === null || value === undefined) return "";
  if (typeof value === "object" && "address" in value && "port" in value) return `${String(value.address)}:${String(value.port)}`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

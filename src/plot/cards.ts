/** Predictions, verdicts and tables: small displays that look right in light and dark. */
import { inspect } from "node:util";
import { ArgumentError } from "../errors";
import { formatNumber } from "../wording/number";
import { textTable } from "../wording/text-table";
import { showHtml } from "./display";
import { escapeHtml } from "./page";
import { palette } from "./palette";
import type { Prediction } from "./parts";

/** Html with a coloured edge. @param body html */
export function card(colour: string, body: string): string {
  return `<div style="border-left:6px solid ${colour};padding:.5em 1em;margin:.4em 0;font-size:1.05em;line-height:1.5;background:var(--jp-layout-color2,rgba(128,128,128,.12))">${body}</div>`;
}

/** Commits the reader to a number before the experiment; figures that get it draw it in. */
export function predict(question: string, value: number): Prediction {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new ArgumentError(
      `A prediction is a number, not ${String(value)}.`,
      "Write one: being wrong is half of the fun.",
    );
  showHtml(
    card(palette.prediction, `${escapeHtml(question)}<br><b>Your prediction: ${formatNumber(value)}</b>`),
    `${question}\nYour prediction: ${formatNumber(value)}`,
  );
  return Object.defineProperty({ question, value }, inspect.custom, { value: () => `prediction: ${value}` });
}

export interface VerdictCard {
  number: number;
  claim: string;
  verdict: "holds" | "false" | "depends";
  measured: string;
  why: string;
  kernelFunction: string;
}

const verdicts = {
  holds: { colour: palette.accepted, mark: "✓", word: "holds on this kernel" },
  false: { colour: palette.drops, mark: "✗", word: "is false on this kernel" },
  depends: { colour: palette.synQueue, mark: "≈", word: "depends" },
} as const;

/** What became of one claim of the text. */
export function verdictCard({ number, claim, verdict, measured, why, kernelFunction }: VerdictCard): void {
  const { colour, mark, word } = verdicts[verdict];
  showHtml(
    card(
      colour,
      `<i>The text says:</i> ${escapeHtml(claim)}<br><b style="color:${colour}">${mark} Claim ${number} ${word}.</b> Measured: ${escapeHtml(measured)}.<br>${escapeHtml(why)} <code>${escapeHtml(kernelFunction)}</code>`,
    ),
    `The text says: ${claim}\n${mark} Claim ${number} ${word}. Measured: ${measured}.\n${why} ${kernelFunction}`,
  );
}

export interface TableOptions {
  /** which fields, in which order; default: all of the first row */
  columns?: readonly string[];
}

/** Ports and descriptors are names, not quantities. */
const nameColumn = /^(port|fd|inode|.*Port)$/;

function cell(value: unknown, column: string): string {
  if (typeof value === "number") return nameColumn.test(column) ? String(value) : formatNumber(value);
  if (value === null || value === undefined) return "";
  if (typeof value === "object" && "address" in value && "port" in value)
    return `${String(value.address)}:${String(value.port)}`;
  return String(value);
}

/** Rows as a table. */
export function table(rows: readonly object[], { columns }: TableOptions = {}): void {
  const names = columns ?? Object.keys(rows[0] ?? {});
  if (rows.length === 0) return showHtml(card(palette.other, "<i>no rows</i>"), "(no rows)");
  const values = rows.map((row) => names.map((name) => (row as Record<string, unknown>)[name]));
  const right = names.map((_, at) => values.every((row) => typeof row[at] === "number"));
  const style = (at: number) =>
    `style="text-align:${right[at] ? "right" : "left"};padding:.25em .9em;white-space:${right[at] ? "nowrap" : "normal"}"`;
  const head = names.map((name, at) => `<th ${style(at)}>${escapeHtml(name)}</th>`).join("");
  const body = values
    .map(
      (row) =>
        `<tr>${row.map((value, at) => `<td ${style(at)}>${escapeHtml(cell(value, names[at]))}</td>`).join("")}</tr>`,
    )
    .join("");
  showHtml(
    `<table style="font-size:1em;margin:.4em 0"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`,
    textTable(
      names.map((title, at) => ({ title, align: right[at] ? "right" : "left" })),
      values.map((row) => row.map((value, at) => cell(value, names[at]))),
    ),
  );
}

/** Predictions, verdicts and tables: small displays that look right in light and dark. */
import { inspect } from "node:util";
import { ArgumentError } from "../errors";
import { html, style, type Html, type HtmlValue } from "../html";
import { formatNumber } from "../wording/number";
import { textTable } from "../wording/text-table";
import { showHtml } from "./display";
import { palette } from "./palette";
import type { Prediction } from "./parts";

/** A message with a coloured edge. @param colour of the edge, `#RRGGBB` */
export function card(colour: string, body: HtmlValue): Html {
  return html`<div ${style("card", { "border-left-color": colour })}>${body}</div>`;
}

/**
 * Commits the reader to a number before the experiment; figures that get it draw it in.
 * @param value in the unit of what is asked
 * @throws ArgumentError the value is not a finite number
 */
export function predict(question: string, value: number): Prediction {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new ArgumentError(
      `A prediction is a number, not ${String(value)}.`,
      "Write one: being wrong is half of the fun.",
    );
  const answer = `Your prediction: ${formatNumber(value)}`;
  showHtml(card(palette.prediction, html`${question}<br><b>${answer}</b>`), `${question}\n${answer}`);
  return Object.defineProperty({ question, value }, inspect.custom, { value: () => `prediction: ${value}` });
}

/** What became of one claim of the text, for {@link verdictCard}. */
export interface VerdictCard {
  /** the claim's number */
  number: number;
  /** what the text says */
  claim: string;
  /** the result of the measurement */
  verdict: "holds" | "false" | "depends" | "undecided";
  /** what the experiment has measured, without a full stop */
  measured: string;
  /** why the kernel does so: a sentence */
  why: string;
  /** the kernel function that decides it */
  kernelFunction: string;
}

const verdicts = {
  holds: { colour: palette.accepted, mark: "✓", word: "holds on this kernel" },
  false: { colour: palette.drops, mark: "✗", word: "is false on this kernel" },
  depends: { colour: palette.synQueue, mark: "≈", word: "depends" },
  undecided: { colour: palette.other, mark: "?", word: "is undecided here" },
} as const;

/** Shows what became of one claim of the text. */
export function verdictCard({ number, claim, verdict, measured, why, kernelFunction }: VerdictCard): void {
  const { colour, mark, word } = verdicts[verdict];
  const judged = `${mark} Claim ${number} ${word}.`;
  showHtml(
    card(
      colour,
      html`<i>The text says:</i> ${claim}<br><b ${style([], { color: colour })}>${judged}</b> Measured: ${measured}.<br>${why} <code>${kernelFunction}</code>`,
    ),
    `The text says: ${claim}\n${judged} Measured: ${measured}.\n${why} ${kernelFunction}`,
  );
}

/** What {@link table} shows. */
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
  // a list of names, a date: as its toString() writes it
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- rows are the reader's: [object Object] says that a field is none
  return String(value);
}

/** Shows rows as a table: a column for each field, numbers to the right. @param rows objects with the same fields */
export function table(rows: readonly object[], { columns }: TableOptions = {}): void {
  const [first] = rows;
  if (!first) {
    showHtml(card(palette.other, html`<i>no rows</i>`), "(no rows)");
    return;
  }
  const shown = (columns ?? Object.keys(first)).map((title) => {
    const values = rows.map((row): unknown => (row as Record<string, unknown>)[title]);
    const align = values.every((value) => typeof value === "number") ? ("right" as const) : ("left" as const);
    return { title, align, look: style(align === "right" ? "numberCell" : "textCell") };
  });
  const words = rows.map((row) =>
    shown.map((column) => ({ ...column, words: cell((row as Record<string, unknown>)[column.title], column.title) })),
  );
  const head = shown.map(({ title, look }) => html`<th ${look}>${title}</th>`);
  const body = words.map((row) => html`<tr>${row.map(({ words: text, look }) => html`<td ${look}>${text}</td>`)}</tr>`);
  showHtml(
    html`<table ${style("table")}><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`,
    textTable(
      shown,
      words.map((row) => row.map(({ words: text }) => text)),
    ),
  );
}

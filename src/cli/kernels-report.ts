/** The claims on several kernels as one table: a column a kernel; then what differs, and why. */
import { html, type Html, trusted } from "../html";
import { wrap } from "../terminal/text";
import { textTable } from "../wording/text-table";
import { markOf, type Outcome, tallyOf } from "./claim-outcome";

/** What came of the claims on one kernel. */
export interface KernelClaims {
  /** "6.1.176" */
  version: string;
  outcomes: Outcome[];
  /** why there are none */
  error?: string;
}

/** The claims on all kernels. */
export interface KernelsReport {
  /** the line that made it */
  command: string;
  /** YYYY-MM-DD */
  date: string;
  kernels: KernelClaims[];
}

/** One claim on all kernels. */
interface Row {
  number: number;
  statement: string;
  /** what came of it on each kernel, in the order of the columns; undefined: not tried */
  outcomes: (Outcome | undefined)[];
  /** the kernels that answered do not agree */
  differs: boolean;
}

/** Kernels that came to the same verdict about a claim. */
interface Group {
  mark: string;
  versions: string[];
  /** what was measured on the first of them, and why; or why it was not measured */
  told: string;
}

function rowsOf({ kernels }: KernelsReport): Row[] {
  const numbers = new Set(kernels.flatMap(({ outcomes }) => outcomes.map(({ number }) => number)));
  return [...numbers]
    .sort((a, b) => a - b)
    .map((number) => {
      const outcomes = kernels.map((kernel) => kernel.outcomes.find((outcome) => outcome.number === number));
      const tried = outcomes.filter((outcome) => outcome !== undefined);
      const differs = new Set(tried.map(markOf)).size > 1;
      return { number, statement: tried[0]?.statement ?? "", outcomes, differs };
    });
}

function groupsOf(row: Row, kernels: readonly KernelClaims[]): Group[] {
  const groups = new Map<string, Group>();
  for (const [at, outcome] of row.outcomes.entries()) {
    if (outcome === undefined) continue;
    const mark = markOf(outcome);
    const group = groups.get(mark) ?? { mark, versions: [], told: tellingOf(outcome) };
    group.versions.push(kernels[at]?.version ?? "");
    groups.set(mark, group);
  }
  return [...groups.values()];
}

function tellingOf(outcome: Outcome): string {
  if ("error" in outcome) return [outcome.error.message, outcome.error.hint ?? ""].filter(Boolean).join(" ");
  return `${outcome.measured}. ${outcome.why} [${outcome.kernel}]`;
}

function failuresOf({ kernels }: KernelsReport): string[] {
  return kernels.flatMap(({ version, error }) => (error === undefined ? [] : [`Linux ${version}: ${error}`]));
}

const widest = 100;

/** For a terminal or a log. */
export function textReport(report: KernelsReport): string {
  const rows = rowsOf(report);
  const columns = [
    { title: "claim", align: "right" as const },
    ...report.kernels.map(({ version }) => ({ title: version, align: "left" as const })),
    { title: "", align: "left" as const },
  ];
  const table = textTable(
    columns,
    rows.map(({ number, outcomes, differs }) => [String(number), ...outcomes.map(markOf), differs ? "differs" : ""]),
  );
  const differing = rows.filter(({ differs }) => differs).flatMap((row) => [
    "",
    ...wrap(`${row.number}  ${row.statement}`, widest),
    ...groupsOf(row, report.kernels).flatMap(({ mark, versions, told }) => [
      `  ${mark}: Linux ${versions.join(", ")}`,
      ...wrap(told, widest - 4).map((line) => `    ${line}`),
    ]),
  ]); // prettier-ignore
  const tallies = report.kernels.map(({ version, outcomes }) => `Linux ${version}: ${tallyOf(outcomes) || "–"}`);
  const heading = differing.length > 0 ? ["", "What differs, and why:"] : ["", "The kernels agree."];
  return [table, ...heading, ...differing, "", ...tallies, ...failuresOf(report)].join("\n");
}

/** One cell of a Markdown table. */
function cell(text: string): string {
  return text.replace(/\s+/g, " ").replace(/\|/g, "\\|").replace(/</g, "&lt;");
}

/** For docs/kernels.md. */
export function markdownReport(report: KernelsReport): string {
  const { command, date, kernels } = report;
  const rows = rowsOf(report);
  const line = (cells: string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const versions = kernels.map(({ version }) => version);
  const difference = rows.filter(({ differs }) => differs).flatMap((row) => [
    `### Claim ${row.number}`, "", cell(row.statement), "",
    ...groupsOf(row, kernels).map(({ mark, versions: same, told }) => `- **${mark}** on Linux ${same.join(", ")}: ${cell(told)}`),
    "",
  ]); // prettier-ignore
  return [
    "# The claims on several kernels",
    "",
    `Made on ${date} by \`${command}\`, on each guest kernel as its ordinary user. The last column is the kernel of the`,
    "machine that made it, the others are user-mode Linux. Do not edit it: run the command with `--markdown docs/kernels.md`.",
    "",
    line(["", ...versions]),
    line(["---", ...versions.map(() => "---")]),
    ...kernels[0] ? [line(["in all", ...kernels.map(({ outcomes }) => tallyOf(outcomes) || "–")])] : [],
    "",
    ...failuresOf(report).flatMap((failure) => [failure, ""]),
    line(["claim", ...versions]),
    line(["---", ...versions.map(() => "---")]),
    ...rows.map(({ number, statement, outcomes, differs }) =>
      line([`${number}. ${differs ? `**${statement}**` : statement}`, ...outcomes.map(markOf)]),
    ),
    "",
    "## What differs, and why",
    "",
    ...(difference.length > 0 ? difference : ["The kernels agree.", ""]),
  ].join("\n"); // prettier-ignore
}

const stylesheet = `
:root { color-scheme: light dark; }
body { font: 17px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1.2rem; }
table { border-collapse: collapse; } td, th { text-align: left; vertical-align: top; padding: .3rem .7rem; border-bottom: 1px solid #8884; }
td.verdict { white-space: nowrap; } tr.differs { background: #E69F0033; } dt { font-weight: 600; margin-top: .6rem; }
`;

/** One page that needs nothing else. */
export function htmlReport(report: KernelsReport): string {
  const { command, date, kernels } = report;
  const rows = rowsOf(report);
  const head = html`<tr><th>claim</th>${kernels.map(({ version }) => html`<th>${version}</th>`)}</tr>`;
  const body = rows.map(
    ({ number, statement, outcomes, differs }) =>
      html`<tr class="${differs ? "differs" : ""}"><td>${number}. ${statement}</td>${outcomes.map((outcome) => html`<td class="verdict">${markOf(outcome)}</td>`)}</tr>`,
  );
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>The claims on several kernels</title><style>${trusted(stylesheet)}</style></head>
<body>
<h1>The claims on several kernels</h1>
<p>Made on ${date} by <code>${command}</code>. Rows in which the kernels differ are marked.</p>
${kernels.map(({ version, outcomes, error }) => html`<p>Linux ${version}: ${error ?? tallyOf(outcomes)}</p>`)}
<table>${head}${body}</table>
<h2>What differs, and why</h2>
${rows.filter(({ differs }) => differs).map((row) => differenceHtml(row, kernels))}
</body>
</html>
`.toString();
}

function differenceHtml(row: Row, kernels: readonly KernelClaims[]): Html {
  return html`<h3>${row.number}. ${row.statement}</h3><dl>${groupsOf(row, kernels).map(
    ({ mark, versions, told }) => html`<dt>${mark}: Linux ${versions.join(", ")}</dt><dd>${told}</dd>`,
  )}</dl>`;
}

import type { Command } from "commander";
import os from "node:os";
import { once } from "../claims/experiment";
import { claimOf, claims, type Decision, measure } from "../claims/registry";
import { native } from "../native";
import { hintOf, type LabError } from "../errors";
import { progressLine } from "../terminal/progress-line";
import { sizeOf } from "../terminal/repaint";
import { wrap } from "../terminal/text";

/** A claim that could not be measured here, and why. */
interface Failure {
  number: number;
  section: string;
  statement: string;
  notebook: string;
  error: { code: string; message: string; hint?: string };
}

type Outcome = (Decision | Failure) & {
  /** ms; close to 0 where the experiment had run for an earlier claim */
  duration: number;
};

/** Adds `one-listener claims` to the program. */
export function addClaims(program: Command): void {
  program
    .command("claims")
    .argument("[numbers...]", "claims to decide; default: all")
    .description("decide the claims of the text on this kernel, each by its experiment")
    .option("--json", "verdicts and evidence as JSON")
    .option("--list", "list the claims, decide nothing")
    .addHelpText(
      "after",
      "\nThe text makes 63 claims. An experiment decides each of them. All of them together take about 90 s." +
        "\nEvery experiment runs in a Lab of its own, a private network stack. It changes nothing on this machine." +
        "\nExit status: 0 if every claim could be measured, whatever its verdict; 1 if not." +
        "\n\nExamples:\n  npx one-listener claims\n  npx one-listener claims 1 7 45",
    )
    .action(async (numbers: string[], options: { json?: boolean; list?: boolean }) => {
      const chosen = numbers.length === 0 ? claims : numbers.map((number) => claimOf(Number(number)));
      if (options.list) return list(chosen, options.json ?? false);
      const outcomes = await decideAll(chosen);
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ kernel: `${os.type()} ${os.release()}`, node: process.version, claims: outcomes }, null, 2)}\n`
          : `${table(outcomes)}\n`,
      );
      process.exitCode = outcomes.some((outcome) => "error" in outcome) ? 1 : 0;
    });
}

function list(chosen: typeof claims, json: boolean): void {
  const rows = chosen.map(({ number, section, notebook, statement, quote }) => ({
    number,
    section,
    notebook,
    statement,
    quote,
  }));
  const lines = rows.map(
    ({ number, section, notebook, statement }) =>
      `${String(number).padStart(3)}  ${section.padEnd(8)}  notebook ${notebook}  ${statement}`,
  );
  process.stdout.write(`${json ? JSON.stringify(rows, null, 2) : lines.join("\n")}\n`);
}

async function decideAll(chosen: typeof claims): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const memory = once();
  for (const [at, { number, section, statement, notebook }] of chosen.entries()) {
    progressLine(`${at + 1} of ${chosen.length}: ${statement}`);
    const start = native.now();
    const duration = () => Math.round(native.now() - start);
    try {
      outcomes.push({ ...(await measure(number, memory)), duration: duration() });
    } catch (error) {
      const { code = "ERR_UNKNOWN", message } = error as Partial<LabError> & Error;
      const hint = hintOf(error);
      const told = { code, message, ...(hint !== undefined && { hint }) };
      outcomes.push({ number, section, statement, notebook, error: told, duration: duration() });
    }
  }
  progressLine("");
  return outcomes;
}

const marks = { holds: "✓ holds", false: "✗ false", depends: "≈ depends", undecided: "? undecided" };
const notMeasured = "– not measured";

function table(outcomes: readonly Outcome[]): string {
  const width = Math.max(60, Math.min(process.stdout.isTTY ? sizeOf(process.stdout).columns : 110, 140));
  const margin = " ".repeat(22);
  const block = (outcome: Outcome): string => {
    const head = `${String(outcome.number).padStart(3)}  ${("error" in outcome ? notMeasured : marks[outcome.verdict]).padEnd(15)}  `;
    const more =
      "error" in outcome
        ? [outcome.error.message, ...(outcome.error.hint ? [`→ ${outcome.error.hint}`] : [])]
        : [`measured: ${outcome.measured}`, `why: ${outcome.why} [${outcome.kernel}]`];
    const [first = "", ...rest] = [outcome.statement, ...more].flatMap((text, at) =>
      wrap(text, width - margin.length - (at > 0 ? 2 : 0)).map((line) => (at > 0 ? `  ${line}` : line)),
    );
    return [head + first, ...rest.map((line) => margin + line)].join("\n");
  };
  const tally = Object.entries(marks).flatMap(([verdict, mark]) => {
    const count = outcomes.filter((outcome) => !("error" in outcome) && outcome.verdict === verdict).length;
    return count > 0 ? [`${count} ${mark.slice(2)}`] : [];
  });
  const failures = outcomes.filter((outcome) => "error" in outcome).length;
  if (failures > 0) tally.push(`${failures} not measured`);
  return `${os.type()} ${os.release()}\n\n${outcomes.map(block).join("\n")}\n\n${tally.join(", ")}`;
}

import type { Command } from "commander";
import os from "node:os";
import { once } from "../claims/experiment";
import { claimOf, claims, measure } from "../claims/registry";
import { native } from "../native";
import { hintOf, type LabError } from "../errors";
import { progressLine } from "../terminal/progress-line";
import { sizeOf } from "../terminal/repaint";
import { wrap } from "../terminal/text";
import { markOf, type Outcome, tallyOf } from "./claim-outcome";
import { decideOnKernels, type KernelsFlags } from "./claims-on-kernels";

/** Adds `one-listener claims` to the program. */
export function addClaims(program: Command): void {
  program
    .command("claims")
    .argument("[numbers...]", "claims to decide; default: all")
    .description("decide the claims of the text on this kernel, each by its experiment")
    .option("--json", "verdicts and evidence as JSON")
    .option("--list", "list the claims, decide nothing")
    .option("--kernels <names>", "decide them on other kernels too: all, or 6.1,7,here")
    .option("--html <file>", "with --kernels: write the table as a page")
    .option("--markdown <file>", "with --kernels: write the table as Markdown")
    .addHelpText(
      "after",
      "\nThe text makes 63 claims. An experiment decides each of them. All of them together take about 90 s." +
        "\nEvery experiment runs in a Lab of its own, a private network stack. It changes nothing on this machine." +
        "\nExit status: 0 if every claim could be measured, whatever its verdict; 1 if not." +
        "\n\nExamples:\n  npx one-listener claims\n  npx one-listener claims 1 7 45" +
        "\n  npx one-listener claims --kernels all --html claims.html      (get kernels first: npx one-listener kernels get)",
    )
    .action(async (numbers: string[], options: KernelsFlags & { list?: boolean }) => {
      const chosen = numbers.length === 0 ? claims : numbers.map((number) => claimOf(Number(number)));
      if (options.list) return list(chosen, options.json ?? false);
      if (options.kernels !== undefined) return decideOnKernels(options.kernels, numbers, options);
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

function table(outcomes: readonly Outcome[]): string {
  const width = Math.max(60, Math.min(process.stdout.isTTY ? sizeOf(process.stdout).columns : 110, 140));
  const margin = " ".repeat(22);
  const block = (outcome: Outcome): string => {
    const head = `${String(outcome.number).padStart(3)}  ${markOf(outcome).padEnd(15)}  `;
    const more =
      "error" in outcome
        ? [outcome.error.message, ...(outcome.error.hint ? [`→ ${outcome.error.hint}`] : [])]
        : [`measured: ${outcome.measured}`, `why: ${outcome.why} [${outcome.kernel}]`];
    const [first = "", ...rest] = [outcome.statement, ...more].flatMap((text, at) =>
      wrap(text, width - margin.length - (at > 0 ? 2 : 0)).map((line) => (at > 0 ? `  ${line}` : line)),
    );
    return [head + first, ...rest.map((line) => margin + line)].join("\n");
  };
  return `${os.type()} ${os.release()}\n\n${outcomes.map(block).join("\n")}\n\n${tallyOf(outcomes)}`;
}

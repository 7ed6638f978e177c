/**
 * npm run bench [-- --json] [-- --only NAME]: every trial side by side with its peers. Table or JSON on stdout, progress on stderr.
 */
import os from "node:os";
import { parseArgs } from "node:util";
import { acceptQueueSample } from "./trials/accept-queue-sample";
import { drainFilledQueue } from "./trials/drain-filled-queue";
import { ghostHandshakes } from "./trials/ghost-handshakes";
import { grading } from "./trials/grading";
import { kernels } from "./trials/kernels";
import { labOpen } from "./trials/lab-open";
import { plotMillion } from "./trials/plot-million";
import { recordingCost } from "./trials/recording-cost";
import { synRate } from "./trials/syn-rate";
import { watchCost } from "./trials/watch-cost";
import type { Row, Trial, TrialResult } from "./trial";

const trials: Trial[] = [
  acceptQueueSample,
  labOpen,
  drainFilledQueue,
  recordingCost,
  plotMillion,
  synRate,
  ghostHandshakes,
  watchCost,
  grading,
  kernels,
];

function number(value: number): string {
  if (Number.isNaN(value)) return "–";
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function print(result: TrialResult): void {
  console.log(`\n${result.trial}: ${result.question}`);
  const width = Math.max(...result.rows.map((each: Row) => each.name.length));
  for (const each of result.rows) {
    const spread =
      each.samples.length > 1
        ? `  (${number(Math.min(...each.samples))} to ${number(Math.max(...each.samples))}, ${each.samples.length} runs)`
        : "";
    console.log(
      `  ${each.name.padEnd(width)}  ${number(each.median).padStart(8)} ${each.unit}${each.skipped ? `  left out: ${each.skipped}` : spread}`,
    );
  }
  for (const ratio of result.ratios)
    console.log(`  ${ratio.reached ? "✓" : "✗"} ${ratio.name}: ${number(ratio.value)} (wanted ${ratio.wanted})`);
  for (const note of result.notes) console.log(`  ${note}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: "boolean" }, only: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help) {
    console.log(`npm run bench [-- --json] [--only NAME]\nTrials: ${trials.map(({ name }) => name).join(", ")}`);
    return;
  }
  const chosen = trials.filter(({ name }) => values.only === undefined || name === values.only);
  if (chosen.length === 0)
    throw new Error(`There is no trial "${values.only}". There are: ${trials.map(({ name }) => name).join(", ")}.`);
  const results: TrialResult[] = [];
  for (const trial of chosen) {
    const progress = (text: string) => process.stderr.write(`${trial.name}: ${text}\n`);
    progress(trial.question);
    const result = { trial: trial.name, question: trial.question, ...(await trial.run(progress)) };
    results.push(result);
    if (!values.json) print(result);
  }
  if (values.json)
    console.log(
      JSON.stringify({ kernel: os.release(), node: process.version, processors: os.cpus().length, results }, null, 2),
    );
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});

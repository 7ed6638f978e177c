// npm run check [-- TOOL …]: formats, lints and types, each with one exit status. npm run format writes the formats.
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { installCheckers, tools } from "./check/tools.mjs";
import { installDependencies } from "./dependencies.mjs";
import { inLanes } from "./lanes.mjs";
import { at, command, Missing, say, withLock } from "./project.mjs";

const names = ["tsc", ...tools.map(({ name }) => name)];
const help = `npm run check [-- TOOL …]      finds what is not as it should be
npm run format [-- TOOL …]     writes what a formatter can write

  TOOL   one of ${names.join(", ")}; without a name: all of them
`;

/** Two cores are the least that a contributor has; more jobs at once would wait for each other's memory. */
const lanes = 2;

/** Runs a job. `findings`: how many there are; at least one if it failed. */
function runJob({ command: [program, ...words], cwd = at(), quietErrors = false, count, known, remember }) {
  if (known !== undefined) return { seconds: 0, findings: count(known), output: known.trim() };
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
    child.on("error", reject);
    child.on("close", (status) => {
      const failed = status !== 0;
      if (!quietErrors || failed) output += errors;
      const findings = Math.max(count(output), failed ? 1 : 0);
      remember?.(output, status);
      resolve({ seconds: (performance.now() - started) / 1000, findings, output: findings > 0 ? output.trim() : "" });
    });
  });
}

/** Runs the tools' jobs in the lanes, and prints what a tool has found once its last job has ended. */
async function runTools(chosen) {
  const rows = chosen.map(({ name, check }) => ({ name, jobs: check(), results: [] }));
  const queue = rows.flatMap((row) => row.jobs.map((job) => ({ row, job })));
  await inLanes(lanes, queue, async ({ row, job }) => {
    row.results.push(await runJob(job));
    if (row.results.length === row.jobs.length) report(row);
  });
  return rows.map(({ name, results }) => ({
    name,
    seconds: results.reduce((sum, { seconds }) => sum + seconds, 0),
    findings: results.reduce((sum, { findings }) => sum + findings, 0),
  }));
}

/** A header's finding comes with each file that includes it: each line is printed once. */
function report({ name, results }) {
  say(`${name} is done`);
  const seen = new Set();
  const output = results.flatMap((result) => result.output.split("\n"));
  const once = name === "clang-tidy" ? output.filter((line) => !seen.has(line) && seen.add(line)) : output;
  if (once.some((line) => line !== "")) process.stdout.write(`${once.join("\n")}\n\n`);
}

/** The type check is the build: ESLint and the notebooks read its declarations. */
function buildAndTypes() {
  const started = performance.now();
  let findings = 0;
  try {
    build({ tests: true });
  } catch (error) {
    if (error instanceof Missing) throw error;
    // the compiler's own words have been printed
    process.stderr.write(`${error.message}\n`);
    findings = 1;
  }
  return { name: "tsc", seconds: (performance.now() - started) / 1000, findings };
}

function table(rows, seconds) {
  const shown = rows.map(({ name, seconds: each, findings }) => [
    name,
    each.toFixed(1),
    findings === 0 ? "ok" : `${findings} to mend`,
  ]);
  const widths = [Math.max(...shown.map(([name]) => name.length), 4), 7];
  const line = ([name, each, outcome]) => `${name.padEnd(widths[0])}  ${each.padStart(widths[1])}  ${outcome}\n`;
  process.stdout.write([["tool", "seconds", ""], ...shown, ["in all", seconds.toFixed(1), ""]].map(line).join(""));
}

async function format(chosen) {
  // the notebooks hold the exercises' starters as Prettier has left them
  const order = [...chosen].sort((a, b) => Number(a.name === "notebooks") - Number(b.name === "notebooks"));
  for (const { name, format: job } of order) {
    if (!job) continue;
    say(`formatting: ${name}`);
    const { command: words, cwd } = job();
    const result = await runJob({ command: words, cwd, count: () => 0 });
    if (result.findings > 0) throw new Error(`${name} failed:\n${result.output}`);
  }
}

command(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { format: { type: "boolean" }, help: { type: "boolean" } },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Missing(`There is no tool ${unknown.join(", ")}.`, `one of: ${names.join(", ")}`);
  const wanted = (name) => positionals.length === 0 || positionals.includes(name);
  const chosen = tools.filter(({ name }) => wanted(name));
  const started = performance.now();
  withLock(() => {
    installDependencies();
    installCheckers();
  });
  if (values.format) {
    await format(chosen);
    return 0;
  }
  const rows = [];
  if (wanted("tsc") || chosen.some(({ built }) => built)) {
    say("building, which checks types");
    rows.push(buildAndTypes());
  }
  if (chosen.length > 0) say(`running ${chosen.map(({ name }) => name).join(", ")}`);
  rows.push(...(await runTools(chosen)));
  table(rows, (performance.now() - started) / 1000);
  const mendable = chosen.filter(
    ({ name, format: job }) => job && rows.some((row) => row.name === name && row.findings > 0),
  );
  if (mendable.length > 0) say(`this may mend it: npm run format -- ${mendable.map(({ name }) => name).join(" ")}`);
  return rows.some(({ findings }) => findings > 0) ? 1 : 0;
});

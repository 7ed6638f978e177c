// npm run test:kernels: the workbook on other Linux kernels, as their ordinary user: doctor, notebooks, exercises, claims.
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { findJupyter, jupyterEnvironment, registerKernel } from "./jupyter.mjs";
import { inLanes } from "./lanes.mjs";
import { at, command, Missing, say } from "./project.mjs";

const help = `npm run test:kernels [-- KERNEL …] [options]

  KERNEL         a kernel by name or version, such as bookworm or 6.1; without one: all of them
  --short        doctor, notebooks 00 and 04, one exercise and twenty claims, on 6.1 and the newest kernel
  --only PART    only the steps whose names contain PART: doctor, notebook 04, claims, exercise

Fetches the kernels that are not installed (npx one-listener kernels get). Two kernels run at a time.
Where no mirror can be reached, the kernel is skipped, and the reason is printed.
`;

/** kernels that run at the same time: each has one CPU */
const lanes = 2;
const main = at("dist", "cli", "main.js");
const folder = at(".artifacts", "kernels");
/** seconds that one step may take; a kernel in user mode is slow, and the machine may be busy */
const longest = { doctor: 120, notebook: 1200, claims: 1500, exercise: 1500 };
const oneExercise = "find-the-backlog";
const twentyClaims = [1, 2, 3, 4, 5, 6, 7, 9, 13, 14, 16, 23, 26, 27, 28, 30, 43, 47, 48, 63].map(String);

const kernelTests = (short) => {
  const notebooks = readdirSync(at("notebooks"))
    .filter((name) => name.endsWith(".ipynb") && (!short || /^0[04]/.test(name)))
    .sort();
  const exercises = short ? [oneExercise] : exerciseNames();
  return [
    { name: "doctor", seconds: longest.doctor, words: [main, "doctor"] },
    ...notebooks.map((file) => ({ name: `notebook ${file.slice(0, 2)}`, seconds: longest.notebook, file })),
    {
      name: short ? "claims (20)" : "claims",
      seconds: longest.claims,
      words: [main, "claims", "--json", ...(short ? twentyClaims : [])],
    },
    ...exercises.map((exercise) => ({
      name: `exercise ${exercise}`,
      seconds: longest.exercise,
      words: [main, "exercise", "verify", exercise, "--times", "1"],
    })),
  ];
};

function exerciseNames() {
  const { exerciseNames: names } = createRequire(import.meta.url)(at("dist", "exercise", "exercise.js"));
  return names();
}

/** Runs a program, and gives its status and what it printed. */
function runProgram(program, words, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { cwd: at(), env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output }));
  });
}

/** The command of a step, and what must be true of its report. */
function commandOf(step, python, out) {
  if (!step.file) return { program: process.execPath, words: step.words, failure: () => undefined };
  const report = path.join(out, `${step.file}.json`);
  const words = [at("setup", "run_notebook.py"), at("notebooks", step.file), path.join(out, step.file), report];
  const failure = () => {
    const found = JSON.parse(readFileSync(report, "utf8")).failure;
    return found ? `cell ${found.cell}:\n${found.source}\n${found.error}` : undefined;
  };
  return { program: python, words: [...words, "600"], failure };
}

/** @returns undefined where the step passed, else what it printed */
async function failureOf(kernel, step, python, out) {
  const { program, words, failure } = commandOf(step, python, out);
  const env = { ...jupyterEnvironment(), ONE_LISTENER_PYTHON: python, ONE_LISTENER_PROGRESS: out };
  const guest = ["kernels", "run", kernel.name, "--memory", "3G", "--time", String(step.seconds), "--"];
  const { status, output } = await runProgram(process.execPath, [main, ...guest, program, ...words], env);
  if (status === 124) return `it took longer than ${step.seconds} s\n${output}`;
  if (status !== 0) return output;
  return failure();
}

async function testKernel(kernel, steps, python) {
  const out = path.join(folder, kernel.name);
  mkdirSync(out, { recursive: true });
  const results = [];
  for (const step of steps) {
    const start = performance.now();
    const failure = await failureOf(kernel, step, python, out);
    const seconds = (performance.now() - start) / 1000;
    say(`Linux ${kernel.version}: ${failure === undefined ? "✓" : "✗"} ${step.name} (${seconds.toFixed(0)} s)`);
    if (failure !== undefined) process.stderr.write(`${failure.trimEnd().slice(-4000)}\n\n`);
    results.push({ kernel: kernel.version, step: step.name, seconds, passed: failure === undefined });
  }
  return results;
}

/** Notebook 09 compiles a Go server. A guest has one CPU, so this machine compiles first: the compiler's cache is kept. */
async function compileGoServer() {
  const { Lab } = createRequire(import.meta.url)(at("dist", "index.js"));
  const lab = await Lab.open({ wire: false });
  try {
    const server = await lab.startServer("go net/http", { port: 9001 });
    await server.close();
  } catch (error) {
    say(`no Go server for notebook 09: ${error.message}`);
  } finally {
    await lab.close();
  }
}

/** The kernels to test: those that are named, or all; fetched where they are not installed. `skipped`: with the reason. */
async function kernelsToTest(names, short) {
  const load = createRequire(import.meta.url);
  const { suites, suiteOf } = load(at("dist", "museum", "suites.js"));
  const { installed } = load(at("dist", "museum", "kernel.js"));
  const { get } = load(at("dist", "museum", "get.js"));
  const wanted = names.length > 0 ? names.map((name) => suiteOf(name)) : suites;
  const chosen = short && names.length === 0 ? [suiteOf("6.1"), suites.at(-1)] : wanted;
  const missing = chosen.filter(({ suite }) => !installed().some(({ name }) => name === suite));
  const skipped = [];
  if (missing.length > 0) {
    say(`fetching ${missing.map(({ suite, series }) => `${suite} (${series})`).join(", ")}`);
    const results = await get(
      missing.map(({ suite }) => suite),
      { say },
    );
    for (const { suite, error } of results)
      if (error) skipped.push(`${suite.suite} (${suite.series}): ${error.message}`);
  }
  const kernels = installed().filter(({ name }) => chosen.some(({ suite }) => suite === name));
  return { kernels, skipped };
}

function table(results) {
  const kernels = [...new Set(results.map(({ kernel }) => kernel))];
  const steps = [...new Set(results.map(({ step }) => step))];
  const cell = (kernel, step) => {
    const found = results.find((each) => each.kernel === kernel && each.step === step);
    return found ? `${found.passed ? "✓" : "✗"} ${found.seconds.toFixed(0)} s` : "";
  };
  const rows = [["", ...kernels], ...steps.map((step) => [step, ...kernels.map((kernel) => cell(kernel, step))])];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => `${row.map((text, column) => text.padEnd(widths[column])).join("  ")}`.trimEnd()).join("\n");
}

command(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { short: { type: "boolean" }, only: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  build();
  const steps = kernelTests(values.short).filter(({ name }) => name.includes(values.only ?? ""));
  if (steps.length === 0)
    throw new Missing(`No step's name contains "${values.only}".`, "npm run test:kernels -- --help");
  const python = findJupyter();
  registerKernel();
  rmSync(folder, { recursive: true, force: true });
  const { kernels, skipped } = await kernelsToTest(positionals, values.short);
  if (kernels.length > 0 && steps.some(({ name }) => name === "notebook 09")) await compileGoServer();
  const results = (await inLanes(lanes, kernels, (kernel) => testKernel(kernel, steps, python))).flat();
  if (results.length > 0) console.log(`\n${table(results)}`);
  for (const reason of skipped) console.log(`skipped: ${reason}`);
  const passed = results.filter((each) => each.passed).length;
  console.log(`\n${passed} passed, ${results.length - passed} failed, ${skipped.length} skipped`);
  return passed === results.length ? 0 : 1;
});

// node setup/native-coverage.mjs [TEST …]: which lines of the C++ the tests run. TEST: names of compiled tests, such as
// native/diag; without one all of test/native. Builds a copy of the project in .build/native-coverage with gcc's
// --coverage, runs the tests there, and prints a table and the lines that nothing ran. The lab host ends by _exit(), which
// writes no counts: it is not in the table.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { findPython } from "./prerequisites.mjs";
import { at, command, run, say } from "./project.mjs";

const copy = (...parts) => at(".build", "native-coverage", ...parts);

/** The project as far as the addon's tests need it; the compiled objects of an earlier run stay. */
function copyProject() {
  mkdirSync(copy(".build"), { recursive: true });
  const sources = { recursive: true, preserveTimestamps: true, filter: (from) => from !== at("native", "build") };
  cpSync(at("native"), copy("native"), sources);
  for (const folder of ["dist", "setup", path.join(".build", "test")]) {
    rmSync(copy(folder), { recursive: true, force: true });
    cpSync(at(folder), copy(folder), { recursive: true });
  }
  if (!existsSync(copy(".build", "dist"))) symlinkSync("../dist", copy(".build", "dist"));
}

function buildWithCounters() {
  const prefix = path.resolve(path.dirname(process.execPath), "..");
  const headers = existsSync(path.join(prefix, "include", "node", "node_api.h"))
    ? [`--nodedir=${prefix}`]
    : [`--devdir=${at(".build", "node-headers")}`];
  const target = existsSync(copy("native", "build", "Makefile")) ? "build" : "rebuild";
  run(
    process.execPath,
    [
      at("node_modules", "node-gyp", "bin", "node-gyp.js"),
      target,
      "-C",
      copy("native"),
      `--python=${findPython()}`,
      ...headers,
    ],
    // threads write the counters at the same time
    { env: { ...process.env, JOBS: "max", CXXFLAGS: "--coverage -fprofile-update=atomic -O0", LDFLAGS: "--coverage" } },
  );
}

/** The counters that the last run has written. */
const counterFiles = () =>
  readdirSync(copy("native", "build"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".gcda"))
    .map((name) => copy("native", "build", name));

function runTests(names) {
  for (const file of counterFiles()) rmSync(file);
  const mocha = at("node_modules", "mocha", "bin", "mocha.js");
  const options = ["--no-config", "--timeout", "60000", "--reporter", copy("setup", "reporter.cjs")];
  const files = names.map((name) => copy(".build", "test", `${name}.test.js`));
  try {
    run(process.execPath, ["--expose-gc", mocha, ...options, ...files], { cwd: copy(), show: true });
  } catch (error) {
    // a test of a time fails where every line is counted; what it ran is counted all the same
    say(error.message);
  }
}

/** file → line → how often it was run, the most of all objects that a header is compiled into. */
function linesRun() {
  const files = new Map();
  for (const counters of counterFiles()) {
    const output = run("gcov", ["--json-format", "--stdout", counters], { cwd: copy("native", "build") });
    for (const { file, lines } of output
      .split("\n")
      .filter(Boolean)
      .flatMap((line) => JSON.parse(line).files)) {
      const name = path.relative(copy("native"), path.resolve(copy("native", "build"), file));
      if (["..", "build", "host"].includes(name.split(path.sep)[0])) continue;
      const counts = files.get(name) ?? new Map();
      for (const { line_number: line, count } of lines) counts.set(line, Math.max(counts.get(line) ?? 0, count));
      files.set(name, counts);
    }
  }
  return [...files].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** 3, 4, 5, 9 → "3-5 9" */
function ranges(numbers) {
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(" ");
}

function print(files) {
  const row = (name, reached, lines, missed) =>
    process.stdout.write(
      `${name.padEnd(32)} ${((100 * reached) / lines).toFixed(1).padStart(5)} %  ${reached}/${lines}  ${missed}\n`,
    );
  let runOfAll = 0;
  let all = 0;
  for (const [name, counts] of files) {
    const missed = [...counts].filter(([, count]) => count === 0).map(([line]) => line);
    row(name, counts.size - missed.length, counts.size, ranges(missed.sort((a, b) => a - b)));
    runOfAll += counts.size - missed.length;
    all += counts.size;
  }
  row("in all", runOfAll, all, "");
}

/** Builds, runs and prints. */
export function coverNative(names) {
  build({ tests: true });
  copyProject();
  say("building the addon with counters (some minutes)");
  buildWithCounters();
  runTests(names);
  print(linesRun());
}

const allOfNative = () =>
  readdirSync(at(".build", "test", "native"))
    .filter((name) => name.endsWith(".test.js"))
    .map((name) => path.join("native", name.replace(/\.test\.js$/, "")));

if (process.argv[1] === fileURLToPath(import.meta.url))
  await command(() => coverNative(process.argv.length > 2 ? process.argv.slice(2) : allOfNative()));

// npm test and npm run test:all: builds, runs mocha, and ends with one summary and a line that counts.
import { mkdirSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { findJupyter, jupyterEnvironment, registerKernel } from "./jupyter.mjs";
import { at, command, say } from "./project.mjs";
import { reportCoverage } from "./test/coverage.mjs";
import { chooseTests } from "./test/files.mjs";
import { runBeside, runInOrder } from "./test/mocha.mjs";
import { printSummary } from "./test/summary.mjs";

const help = `npm test [-- PLACE …] [options]        the tests without the slow ones
npm run test:all [-- PLACE …] [options]  all tests

  PLACE            a folder or a file of tests, such as test/wire or test/lab/guests.test.ts
  -g, --grep TEXT  only the tests whose names contain TEXT (a regular expression), slow ones too
  -b, --bail       stop after the first failure
  --coverage       print how much of each folder of src/ the tests have run

A file NAME.slow.test.ts is slow, and runs at the same time as others.
A file NAME.slow-alone.test.ts is slow, and runs alone because it measures.
A slow file that is named as PLACE always runs.
`;

function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      grep: { type: "string", short: "g" },
      bail: { type: "boolean", short: "b" },
      all: { type: "boolean" },
      coverage: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
}

command(async () => {
  const { values, positionals } = readArguments();
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  // before the build, so that a mistyped name costs no time
  const { inOrder, beside } = chooseTests(positionals, { all: values.all || values.grep !== undefined });
  build({ tests: true });
  const python = findJupyter();
  registerKernel();

  const results = at(".artifacts", "tests");
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  const environment = { ...jupyterEnvironment(), ONE_LISTENER_PYTHON: python };
  if (values.coverage) {
    environment.NODE_V8_COVERAGE = at(".artifacts", "coverage", "raw");
    // c8 adds up all that it finds there, an earlier run's too
    rmSync(environment.NODE_V8_COVERAGE, { recursive: true, force: true });
  }
  const options = [...(values.grep === undefined ? [] : ["--grep", values.grep]), ...(values.bail ? ["--bail"] : [])];
  const run = { options, environment, results };

  // with --grep most files have no test that runs, and a process for each would be the longest part
  const parts = values.grep === undefined ? { inOrder, beside } : { inOrder: [...inOrder, ...beside], beside: [] };
  const files = parts.inOrder.length === 1 ? "1 file" : `${parts.inOrder.length} files`;
  say(`running the tests of ${files}${values.all ? "" : " (slow ones: npm run test:all)"}`);
  const ended = [await runInOrder(parts.inOrder, run)];
  if (parts.beside.length > 0 && !(values.bail && ended[0].failures > 0)) {
    say(`running ${parts.beside.length} slow files, two at a time`);
    ended.push(...(await runBeside(parts.beside, run)));
  }
  if (values.coverage) reportCoverage();
  return printSummary(ended.filter(Boolean));
});

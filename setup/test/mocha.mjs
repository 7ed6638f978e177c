// mocha as a process of its own: one for all files in order, or one for each file, two at a time.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { inLanes } from "../lanes.mjs";
import { at, root, say } from "../project.mjs";
import { compiled } from "./files.mjs";

/** As many as there are processors, but at least two: most of these tests wait for other programs. */
const lanes = Math.max(2, os.availableParallelism());

/** Runs some files in one process. `show`: its output goes to the terminal as it comes, else it is returned. */
function runMocha(files, { options, environment, results }, { name, show }) {
  const file = path.join(results, `${name}.json`);
  const mocha = spawn(
    process.execPath,
    ["--expose-gc", at("node_modules", "mocha", "bin", "mocha.js"), ...options, ...files.map(compiled)],
    {
      cwd: root,
      stdio: show ? "inherit" : ["ignore", "pipe", "pipe"],
      env: { ...environment, ONE_LISTENER_RESULTS: file },
    },
  );
  let output = "";
  for (const stream of [mocha.stdout, mocha.stderr]) stream?.setEncoding("utf8").on("data", (text) => (output += text));
  return new Promise((resolve, reject) => {
    mocha.on("error", reject);
    mocha.on("close", (code, signal) => {
      const ended = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : diedEarly(files, signal ?? code);
      resolve({ ...ended, output });
    });
  });
}

/** A process that has written no results: it counts as one failure, which says so. */
function diedEarly(files, how) {
  const message = `the process that ran ${files.join(", ")} ended (${how}) before its last test`;
  const failed = [{ titles: [files.length > 1 ? "the tests" : files[0]], message, stack: message }];
  return { passes: 0, failures: 1, pending: 0, skipped: [], suites: [], failed };
}

/** One process for all files, alone on the machine; undefined where there is none to run. */
export async function runInOrder(files, run) {
  return files.length === 0 ? undefined : runMocha(files, run, { name: "in-order", show: true });
}

/** A process for each file; as many at a time as there are lanes. The output of each is printed when it has ended. */
export async function runBeside(files, run) {
  const started = Date.now();
  let ended = 0;
  return inLanes(lanes, files, async (file) => {
    say(`${file} begins`);
    const result = await runMocha([file], run, { name: file.replaceAll(path.sep, "-"), show: false });
    process.stdout.write(result.output);
    const seconds = Math.round((Date.now() - started) / 1000);
    say(`${++ended} of ${files.length} files (${seconds} s): ${file} has ended`);
    return result;
  });
}

// npm run notebooks [-- 00 04 …]: runs each notebook from top to bottom on its own Jupyter kernel.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { findJupyter, jupyterEnvironment, registerKernel } from "./jupyter.mjs";
import { at, command, Missing, root, say } from "./project.mjs";

const help = `npm run notebooks [-- NN …] [options]

  NN             only the notebooks whose names begin with NN
  --json         print the results as JSON
  --timeout S    the limit for each cell, in seconds (default 120)
  --refresh      store the outputs and static plots in notebooks/ (before a commit)
`;

/** The notebooks whose names begin with one of `starts`; all of them if there is none. */
function choose(starts) {
  const all = readdirSync(at("notebooks"))
    .filter((name) => name.endsWith(".ipynb"))
    .sort();
  const chosen = all.filter((name) => starts.length === 0 || starts.some((start) => name.startsWith(start)));
  if (chosen.length === 0)
    throw new Missing(`No notebook's name begins with ${starts.join(" or ")}. The notebooks are:`, all.join("\n    "));
  return chosen;
}

/** Runs one notebook. Its outputs go to .artifacts/notebooks; the result says what each cell did. */
function runNotebook(python, name, timeout) {
  say(name);
  const out = at(".artifacts", "notebooks");
  const report = path.join(out, `${name}.json`);
  const ran = spawnSync(
    python,
    [at("setup", "run_notebook.py"), at("notebooks", name), `${out}/${name}`, report, timeout],
    {
      cwd: root,
      env: { ...jupyterEnvironment(), ONE_LISTENER_PROGRESS: out },
      stdio: ["ignore", 2, 2],
    },
  );
  if (ran.status !== 0) throw new Error(`${name} could not be run`);
  const result = JSON.parse(readFileSync(report, "utf8"));
  if (result.failure) {
    const { cell, source, error } = result.failure;
    process.stderr.write(`\n✗ ${name}, cell ${cell}:\n\n${source.replace(/^/gm, "    ")}\n\n${error}\n\n`);
  }
  return result;
}

/** The results as a table, with the slowest cell of each notebook. */
function table(results) {
  const rows = [
    ["", "notebook", "cells", "slowest", "total"],
    ...results.map(({ name, cells, slowest, total, failure }) => [
      failure ? "✗" : "✓",
      name,
      String(cells),
      `${slowest.seconds.toFixed(1)} s (cell ${slowest.cell})`,
      `${total.toFixed(1)} s`,
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => `${row.map((text, column) => text.padEnd(widths[column])).join("  ")}\n`).join("");
}

command(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      timeout: { type: "string", default: "120" },
      refresh: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const chosen = choose(positionals);
  build();
  if (values.refresh) {
    const [{ syncExercises }, { asText }] = await Promise.all([
      import("./exercise-cells.mjs"),
      import("./refresh.mjs"),
    ]);
    syncExercises(chosen, asText);
  }
  const python = findJupyter();
  registerKernel();
  mkdirSync(at(".artifacts", "notebooks"), { recursive: true });
  const results = chosen.map((name) => runNotebook(python, name, values.timeout));
  const failed = results.filter(({ failure }) => failure).length;
  if (values.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else process.stdout.write(`${table(results)}${results.length - failed} passed, ${failed} failed\n`);
  if (values.refresh && failed === 0) {
    const { refresh } = await import("./refresh.mjs");
    await refresh(chosen);
  }
  return failed === 0 ? 0 : 1;
});

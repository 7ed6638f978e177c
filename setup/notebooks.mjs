// npm run notebooks [-- 00 04 …]: executes the notebooks top to bottom on the real kernel, each alone.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { findJupyter, jupyterEnvironment, registerKernel } from "./jupyter.mjs";
import { at, command, Missing, root, say } from "./project.mjs";

const help = `npm run notebooks [-- NN …] [options]

  NN             only the notebooks whose names begin so
  --json         results as JSON
  --timeout S    seconds for one cell (default 120)
  --refresh      write outputs and static pictures back into notebooks/ (before a commit)
`;

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
    return;
  }
  const all = readdirSync(at("notebooks"))
    .filter((name) => name.endsWith(".ipynb"))
    .sort();
  const chosen = all.filter((name) => positionals.length === 0 || positionals.some((start) => name.startsWith(start)));
  if (chosen.length === 0)
    throw new Missing(`No notebook begins with ${positionals.join(" or ")}. There are:`, all.join("\n    "));
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
  const out = at(".artifacts", "notebooks");
  mkdirSync(out, { recursive: true });
  const results = [];
  for (const name of chosen) {
    say(name);
    const report = at(".artifacts", "notebooks", `${name}.json`);
    const ran = spawnSync(
      python,
      [at("setup", "run_notebook.py"), at("notebooks", name), `${out}/${name}`, report, values.timeout],
      { cwd: root, env: { ...jupyterEnvironment(), ONE_LISTENER_PROGRESS: out }, stdio: ["ignore", 2, 2] },
    );
    if (ran.status !== 0) throw new Error(`${name} could not be run at all`);
    const result = JSON.parse(readFileSync(report, "utf8"));
    results.push(result);
    if (result.failure)
      process.stderr.write(
        `\n✗ ${name}, cell ${result.failure.cell}:\n\n${result.failure.source.replace(/^/gm, "    ")}\n\n${result.failure.error}\n\n`,
      );
  }
  const failed = results.filter(({ failure }) => failure).length;
  if (values.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else {
    const rows = results.map(({ name, cells, slowest, total, failure }) => [
      failure ? "✗" : "✓",
      name,
      String(cells),
      `${slowest.seconds.toFixed(1)} s (cell ${slowest.cell})`,
      `${total.toFixed(1)} s`,
    ]);
    rows.unshift(["", "notebook", "cells", "slowest", "total"]);
    const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
    for (const row of rows)
      process.stdout.write(`${row.map((text, column) => text.padEnd(widths[column])).join("  ")}\n`);
    process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
  }
  if (values.refresh && failed === 0) {
    const { refresh } = await import("./refresh.mjs");
    await refresh(chosen);
  }
  return failed === 0 ? 0 : 1;
});

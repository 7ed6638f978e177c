// npm test -- --coverage: how much of each folder of src/ has run. Node.js counts (NODE_V8_COVERAGE), c8 reads.
import { readFileSync } from "node:fs";
import path from "node:path";
import { at, root, run, say } from "../project.mjs";

const raw = at(".artifacts", "coverage", "raw");
const kinds = ["lines", "functions", "branches"];

/** Prints a table of the folders of src/; the pages of c8 with each line are in .artifacts/coverage. */
export function reportCoverage() {
  say("reading the coverage");
  run(
    process.execPath,
    [
      at("node_modules", "c8", "bin", "c8.js"),
      "report",
      `--temp-directory=${raw}`,
      `--reports-dir=${at(".artifacts", "coverage")}`,
      "--reporter=json-summary",
      "--reporter=html",
      "--all",
      "--src=src",
      "--exclude-after-remap",
      "--include=src/**/*.ts",
    ],
    { env: { ...process.env, NODE_V8_COVERAGE: undefined } },
  );
  const { total, ...files } = JSON.parse(readFileSync(at(".artifacts", "coverage", "coverage-summary.json"), "utf8"));
  const rooms = new Map();
  for (const [file, counts] of Object.entries(files)) {
    const [, room = "?"] = path.relative(root, file).split(path.sep);
    const sums = rooms.get(room) ?? { lines: [0, 0], functions: [0, 0], branches: [0, 0] };
    for (const kind of kinds) {
      sums[kind][0] += counts[kind].covered;
      sums[kind][1] += counts[kind].total;
    }
    rooms.set(room, sums);
  }
  const percent = ([covered, of]) => (of === 0 ? "-" : `${((100 * covered) / of).toFixed(1)} %`).padStart(10);
  const line = (room, cells) => `${room.padEnd(20)}${cells.join("")}\n`;
  const rows = [...rooms].sort(([a], [b]) => (a < b ? -1 : 1));
  process.stdout.write(
    [
      line(
        "\nfolder of src/",
        kinds.map((kind) => kind.padStart(10)),
      ),
      ...rows.map(([room, sums]) =>
        line(
          room,
          kinds.map((kind) => percent(sums[kind])),
        ),
      ),
      line(
        "in all",
        kinds.map((kind) => percent([total[kind].covered, total[kind].total])),
      ),
    ].join(""),
  );
}

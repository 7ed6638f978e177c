// The end of a run of tests: mocha's summary over all its processes, the skipped tests, and the line that counts.
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { at } from "../project.mjs";

/** In a fresh clone mocha is installed only after this file is read. */
const mocha = () => createRequire(import.meta.url)("mocha");

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);

/** A failure in the form that mocha's own list of failures reads. */
function asTest({ titles, message, stack, actual, expected }) {
  const compared = actual !== undefined && expected !== undefined;
  return {
    titlePath: () => titles,
    err: { message, stack, ...(compared && { actual, expected, showDiff: true }) },
  };
}

/** Prints the summary of what the processes have written, and gives the exit status. */
export function printSummary(parts) {
  const passes = sum(parts.map((part) => part.passes));
  const failures = sum(parts.map((part) => part.failures));
  const skipped = parts.flatMap((part) => part.skipped);
  const seconds = Math.round(process.uptime());
  const clock = `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  console.log(`\n  ${passes} passing (${clock}, set-up included)`);
  if (skipped.length > 0) console.log(`  ${skipped.length} skipped`);
  if (failures > 0) console.log(`  ${failures} failing`);
  mocha().reporters.Base.list(parts.flatMap((part) => part.failed).map(asTest));
  for (const { title, reason } of skipped) console.log(`  skipped: ${title}: ${reason}`);
  if (passes + failures === 0) console.log("\nNo test has run.");
  writeTimes(parts);
  console.log(`\n${passes} passed, ${failures} failed, ${skipped.length} skipped`);
  return failures > 0 || passes === 0 ? 1 : 0;
}

/** .artifacts/tests/seconds.txt: how long each suite took, hooks included, the slowest first. */
function writeTimes(parts) {
  const rows = parts
    .flatMap((part) => part.suites)
    .sort((a, b) => b.seconds - a.seconds)
    .map(({ file, seconds }) => {
      const source = path.relative(at(".build"), file).replace(/\.js$/, ".ts");
      return `${seconds.toFixed(1).padStart(7)}  ${source}\n`;
    });
  writeFileSync(at(".artifacts", "tests", "seconds.txt"), rows.join(""));
}

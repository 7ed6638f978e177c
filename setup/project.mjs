/** Where things are, and how the set-up speaks. Plain JavaScript without dependencies: it runs before `npm ci`. */
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

export const inProject = (...parts) => path.join(root, ...parts);

/** Progress goes to stderr: the stdout of `npm run bench` and `npm run notebooks -- --json` belongs to the results. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Something that the reader can mend: its message is all that they see. */
export class SetupError extends Error {}

/** Runs a command of the set-up, and turns a SetupError into its message and exit code 1. */
export async function command(main) {
  try {
    await main();
  } catch (error) {
    say(error instanceof SetupError ? `\n${error.message}\n` : error.stack);
    process.exitCode = 1;
  }
}

/** True for the file that Node was started with: the others are imported. */
export function isMain(url) {
  return process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(url);
}

/** Does `task`, and says how long it took if that was noticeable. */
export async function step(title, task) {
  const began = Date.now();
  say(`• ${title} …`);
  const result = await task();
  const seconds = (Date.now() - began) / 1000;
  if (seconds >= 1) say(`  done in ${seconds.toFixed(0)} s`);
  return result;
}

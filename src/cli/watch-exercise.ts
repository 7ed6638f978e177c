/** exercise watch: checks a solution whenever its file is saved. */
import { existsSync, readFileSync, watch as watchFolder } from "node:fs";
import path from "node:path";
import { ArgumentError, messageWithHint } from "../errors";
import { type Exercise, sourceOf } from "../exercise/exercise";
import { gradeSource } from "../exercise/grade-source";
import { nextHint, noteAttempt } from "../exercise/progress";
import { type CheckResult, passed } from "../exercise/result";
import { checkStory, checkText } from "../exercise/story";
import { answerFile, begin } from "../exercise/workplace";
import { gauge } from "../terminal/meter";
import { progressLine } from "../terminal/progress-line";

/** ms; editors write a file in several steps */
const settle = 120;

/**
 * Checks a solution each time its file is saved, until q or Ctrl-C, and then ends this process.
 * @param given file of the solution; undefined: answers/NAME.ts, made from the starter
 * @param once check once and return; the exit status says whether the solution passed
 * @throws ArgumentError `given` does not exist
 */
export async function watchExercise(exercise: Exercise, given: string | undefined, once = false): Promise<void> {
  const file = path.resolve(given ?? answerFile(exercise));
  if (given !== undefined && !existsSync(file))
    throw new ArgumentError(
      `${given} does not exist.`,
      `Leave it out, and the starter is put into answers/${exercise.name}.ts.`,
    );
  const fresh = given === undefined && begin(exercise, file);
  const shown = path.relative(process.cwd(), file);
  if (fresh) process.stdout.write(`${shown} is there, from the starter.\n`);
  const check = async (): Promise<CheckResult> => {
    const result = await gradeSource(exercise, readFileSync(file, "utf8"), {
      onProgress: ({ what }) => progressLine(what),
    });
    progressLine("");
    noteAttempt(result, path.resolve("notebooks"));
    process.stdout.write(`${report(exercise, result)}\n`);
    return result;
  };
  if (once) {
    process.exitCode = passed(await check()) ? 0 : 1;
    return;
  }
  process.stdout.write(`${exercise.title}: edit ${shown}. Every save is checked; h: the next hint, q: end.\n\n`);
  await untilEnded(exercise, file, check);
  // a check that still runs is given up
  process.exit();
}

/** Checks now and at each save of `file`, and answers the keys. Resolves at q, Ctrl-C, SIGINT or SIGTERM. */
function untilEnded(exercise: Exercise, file: string, check: () => Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const checkAgain = oneAtATime(check);
    let timer: NodeJS.Timeout | undefined;
    // the folder, not the file: many editors save by putting another file in its place
    const watcher = watchFolder(path.dirname(file), (_, name) => {
      if (name !== path.basename(file) || !existsSync(file)) return;
      clearTimeout(timer);
      timer = setTimeout(checkAgain, settle);
    });
    const end = () => {
      watcher.close();
      clearTimeout(timer);
      process.stdin.off("data", onKey).unref();
      if (process.stdin.isTTY) process.stdin.setRawMode(false);
      resolve();
    };
    const onKey = (keys: Buffer) => {
      for (const key of keys.toString()) {
        if (key === "h") {
          const { head, text } = nextHint(exercise, path.resolve("notebooks"));
          process.stdout.write(`${head}. ${text}\n\n`);
        }
        if (key === "q" || key === "\u0003") {
          end();
          return;
        }
      }
    };
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    process.stdin.on("data", onKey);
    process.once("SIGINT", end).once("SIGTERM", end);
    checkAgain();
  });
}

/** Starts a check, or, while one is running, has it followed by one more. */
function oneAtATime(check: () => Promise<unknown>): () => void {
  let running = false;
  let wanted = false;
  const run = async () => {
    running = true;
    while (wanted) {
      wanted = false;
      await check().catch((error: unknown) => process.stderr.write(`${messageWithHint(error)}\n`));
    }
    running = false;
  };
  return () => {
    wanted = true;
    if (!running) void run();
  };
}

/** The points as a bar, and the check as text; the explained solution once all tests are passed. */
function report(exercise: Exercise, result: CheckResult): string {
  const story = checkStory(result);
  const bar = gauge(result.points / Math.max(1, result.max), 20);
  const text = checkText({ ...story, head: `${bar} ${story.head}` });
  return passed(result)
    ? `${text}\n\nSolved. One way to do it, explained:\n\n${sourceOf(exercise, "solution.ts")}`
    : `${text}\n`;
}

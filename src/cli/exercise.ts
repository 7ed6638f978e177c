import type { Command } from "commander";
import path from "node:path";
import { ArgumentError, requireInteger } from "../errors";
import { difficultyMark } from "../exercise/cards";
import { allExercises, loadExercise } from "../exercise/exercise";
import { nextHint, readProgress } from "../exercise/progress";
import { newExercise } from "../exercise/template";
import { verify } from "../exercise/verify";
import { reset } from "../exercise/workplace";
import { autograderZip, templateRepository } from "../grade/packages";
import { requireSandbox, sandbox } from "../grade/sandbox";
import { textTable } from "../wording/text-table";
import { progressLine } from "../terminal/progress-line";
import { watchExercise } from "./watch-exercise";

/** Adds `one-listener exercise` to the program. @returns the command, for further subcommands */
export function addExercise(program: Command): Command {
  const group = program
    .command("exercise")
    .description("the exercises: list them, solve one, verify them")
    .addHelpText(
      "after",
      `
Examples:
  npx one-listener exercise list
  npx one-listener exercise watch fast-accept   (edit answers/fast-accept.ts; every save is checked)
  npx one-listener exercise verify              (before a class gets them)`,
    );

  addForStudents(group);
  addForTeachers(group);
  return group;
}

function addForStudents(group: Command): void {
  group
    .command("list")
    .description("all exercises, their notebooks, their points and yours")
    .option("--json", "as JSON")
    .action(list);
  group
    .command("show")
    .argument("<name>", "such as fast-accept")
    .description("what an exercise asks for")
    .option("--hint", "the next hint")
    .option("--json", "as JSON")
    .action(showOne);
  group
    .command("watch")
    .argument("<name>", "such as fast-accept")
    .argument("[file]", "your solution; default: answers/NAME.ts, made from the starter")
    .description("check your solution each time you save it; h shows the next hint, q ends")
    .option("--once", "check it once and end: status 0 if it passes, 1 if not")
    .action((name: string, file: string | undefined, { once }: { once?: boolean }) =>
      watchExercise(loadExercise(name), file, once),
    );
  group
    .command("reset")
    .argument("<name>", "such as fast-accept")
    .description("put the starter back; your solution is kept in another file")
    .action((name: string) => {
      const exercise = loadExercise(name);
      const kept = reset(exercise);
      process.stdout.write(
        `answers/${name}.ts is the starter again.${kept ? ` Your solution is now in ${path.relative(process.cwd(), kept)}.` : ""}\n`,
      );
    });
}

function addForTeachers(group: Command): void {
  group
    .command("new")
    .argument("<name>", "its name: lower case, words joined by hyphens")
    .description("make exercises/NAME with all files of a new exercise")
    .action(
      (name: string) =>
        void process.stdout.write(
          `${path.relative(process.cwd(), newExercise(name))}: fill in its files, then npx one-listener exercise verify ${name}\n`,
        ),
    );
  group
    .command("verify")
    .argument("[names...]", "exercises; default: all")
    .description(
      "prove that starters fail, solutions pass every time, wrong solutions fail where they should, hints exist",
    )
    .option("--times <n>", "runs of each solution; all of them must pass", Number, 10)
    .option("--no-sandbox", "without bubblewrap: for exercises that you trust")
    .option("--json", "as JSON")
    .action(verifyAll);
  group
    .command("autograder")
    .argument("<names...>", "exercises")
    .description("make the zip that Gradescope takes as an autograder")
    .requiredOption("--out <zip>", "the file to write")
    .option("--assignment <title>", "title of the assignment", "One Listener")
    .action(async (names: string[], { out, assignment }: { out: string; assignment: string }) => {
      await autograderZip({ exercises: names.map(loadExercise), out, assignment });
      process.stdout.write(`${out}: upload it in Gradescope, Configure Autograder.\n`);
    });
  group
    .command("repository")
    .argument("<names...>", "exercises")
    .description("make a template repository for GitHub, with a workflow that checks every push")
    .requiredOption("--out <folder>", "the folder to write; made if it does not exist")
    .requiredOption("--from <owner/name>", "the repository of One Listener that checks are to use")
    .option("--assignment <title>", "title of the assignment", "One Listener")
    .action((names: string[], { out, from, assignment }: { out: string; from: string; assignment: string }) => {
      const files = templateRepository({ exercises: names.map(loadExercise), out, assignment, repository: from });
      process.stdout.write(`${files.map((file) => path.join(out, file)).join("\n")}\n`);
    });
}

function list({ json }: { json?: boolean }): void {
  const standings = readProgress(path.resolve("notebooks"));
  const all = allExercises();
  if (json)
    return void process.stdout.write(
      `${JSON.stringify(
        all.map(({ folder: _, ...exercise }) => ({ ...exercise, standing: standings[exercise.name] })),
        null,
        2,
      )}\n`,
    );
  process.stdout.write(
    `${textTable(
      [
        { title: "notebook", align: "left" },
        { title: "exercise", align: "left" },
        { title: "", align: "left" },
        { title: "points", align: "right" },
        { title: "yours", align: "right" },
      ],
      all.map((exercise) => [
        exercise.notebook,
        exercise.name,
        `${difficultyMark(exercise)} ${exercise.title}`,
        String(exercise.points),
        String(standings[exercise.name]?.points ?? ""),
      ]),
    )}\n`,
  );
}

function showOne(name: string, { hint, json }: { hint?: boolean; json?: boolean }): void {
  const exercise = loadExercise(name);
  if (json) return void process.stdout.write(`${JSON.stringify({ ...exercise, folder: undefined }, null, 2)}\n`);
  if (hint) {
    const { head, text } = nextHint(exercise, path.resolve("notebooks"));
    return void process.stdout.write(`${head}. ${text}\n`);
  }
  process.stdout.write(
    `${exercise.title}\n${"=".repeat(exercise.title.length)}\nnotebook ${exercise.notebook}, ${exercise.points} points\n\n${exercise.statement}\n\nWork on it: npx one-listener exercise watch ${name}\n`,
  );
}

async function verifyAll(
  names: string[],
  { times, sandbox: sandboxed, json }: { times: number; sandbox: boolean; json?: boolean },
): Promise<void> {
  const rounds = requireInteger(times, "--times", 1, 1000);
  const exercises = names.length > 0 ? names.map(loadExercise) : allExercises();
  if (exercises.length === 0) throw new ArgumentError("There are no exercises.");
  if (sandboxed) requireSandbox();
  const all = [];
  for (const [at, exercise] of exercises.entries()) {
    const result = await verify(exercise, {
      times: rounds,
      ...(sandboxed && { wrap: sandbox }),
      onProgress: (what) =>
        progressLine(`${at + 1} of ${exercises.length} ${exercise.name}: ${what}`, at / exercises.length),
    });
    progressLine("");
    all.push(result);
    if (!json) {
      const slowest = Math.max(...result.durations);
      process.stdout.write(
        result.faults.length === 0
          ? `✓ ${exercise.name}: ${rounds} times, ${(slowest / 1000).toFixed(1)} s at most; ${result.wrong} wrong ones fail as they should\n`
          : `✗ ${exercise.name}\n${result.faults.map((fault) => `    ${fault}\n`).join("")}`,
      );
    }
  }
  if (json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  process.exitCode = all.some(({ faults }) => faults.length > 0) ? 1 : 0;
}

import type { Command } from "commander";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { ArgumentError, requireInteger } from "../errors";
import { checkStory, checkText, storyText, testStory } from "../exercise/story";
import { grade, type Graded, type Progress, type StudentResult } from "../grade/grade";
import { writeResults } from "../grade/formats/write";
import { formatTime } from "../wording/number";
import { textTable } from "../wording/text-table";
import { progressLine } from "../terminal/progress-line";

interface Options {
  out: string;
  exercises?: string;
  student?: string;
  jobs?: string;
  resume?: boolean;
  tries: number;
  timeLimit: number;
  canvas?: string;
  assignment: string;
  gradescope?: string;
  summary?: string;
  json?: boolean;
}

const help = `
Submissions are notebooks (.ipynb) or .ts files. A file belongs to one student. A folder belongs to one student if its
files are named after exercises (fast-accept.ts) or notebooks of the workbook (05-slow-accept.ipynb). In any other
folder each entry belongs to one student. In a notebook the solution is the cell that carries the exercise's mark, or
the last cell that declares its function.

Student code runs in bubblewrap. It has no network except the Lab of its check, and no files except the library. Its
time, memory, processes and output have limits. Points depend on what the kernel recorded.

In --out: gradebook.csv, junit.xml, students/NAME.html and NAME.json, and results/, from which --resume continues.

Exit status: 0 all submissions are graded, whatever their points; 1 bad input, or a check that could not be carried
out.

Examples:
  npx one-listener grade submissions/ --out graded
  npx one-listener grade submissions/ --out graded --resume
  npx one-listener grade submissions/ --out graded --canvas export.csv --assignment "Exercises 3"
  npx one-listener grade alice.ipynb --exercises fast-accept --out appeal    (one student's check again, with its plot)`;

/** Adds `one-listener grade` to the program. */
export function addGrade(program: Command): void {
  program
    .command("grade")
    .argument("<submissions...>", "files or folders")
    .requiredOption("--out <folder>", "where results go")
    .description("grade submissions of the exercises, each in a sandbox")
    .option("--exercises <names>", "comma-separated; default: those that were submitted")
    .option("--student <name>", "all submissions given are this student's")
    .option("--jobs <n>", "checks at the same time; default: one for each CPU")
    .option("--resume", "continue an earlier run: results of unchanged solutions are kept")
    .option("--tries <n>", "runs of a solution that misses a test; the best one counts", Number, 2)
    .option("--time-limit <s>", "time limit of a solution's process, seconds", Number, 30)
    .option("--canvas <export.csv>", "also write canvas.csv for import into Canvas; give an export of its gradebook")
    .option("--assignment <title>", "title of the assignment", "One Listener")
    .option("--gradescope <results.json>", "also write Gradescope's file; for one submission")
    .option("--summary <file>", "append a Markdown summary, such as $GITHUB_STEP_SUMMARY")
    .option("--json", "all results as JSON on stdout")
    .addHelpText("after", help)
    .action(async (submissions: string[], options: Options) => {
      if (options.canvas !== undefined && !existsSync(options.canvas))
        throw new ArgumentError(`${options.canvas} does not exist.`);
      const results = await grade(submissions, {
        out: options.out,
        exercises: options.exercises?.split(",").map((name) => name.trim()),
        student: options.student,
        jobs: requireInteger(Number(options.jobs ?? availableParallelism()), "--jobs", 1, 64),
        tries: requireInteger(options.tries, "--tries", 1, 10),
        time: 1000 * requireInteger(options.timeLimit, "--time-limit", 1, 600),
        resume: options.resume,
        onProgress: (progress) => progressLine(progressText(progress), progress.done / progress.of),
      });
      progressLine("");
      const written = writeResults(results, options);
      if (options.summary !== undefined) await appendSummary(options.summary, results);
      if (options.json) process.stdout.write(`${JSON.stringify(results.map(withTexts), null, 2)}\n`);
      else
        process.stdout.write(
          `${summaryTable(results)}\n\n${Object.entries(written)
            .map(([what, file]) => `${what}: ${file}`)
            .join("\n")}\n`,
        );
      if (
        results.some(({ exercises }) =>
          exercises.some(({ message }) => message?.startsWith("The check could not be carried out")),
        )
      )
        process.exitCode = 1;
    });
}

function progressText({ done, of, resumed, left, what }: Progress): string {
  const rest = Number.isFinite(left) && done < of ? `, ${formatTime(left)} left` : "";
  return `${done} of ${of}${resumed > 0 ? ` (${resumed} from before)` : ""}${rest}  ${what}`;
}

function summaryTable(results: readonly StudentResult[]): string {
  const exercises = (results[0]?.exercises ?? []).map(({ exercise }) => exercise);
  return (
    textTable(
      [
        { title: "student", align: "left" as const },
        ...exercises.map((title) => ({ title, align: "right" as const })),
        { title: "points", align: "right" as const },
      ],
      results.map(({ student, exercises: graded, points, max }) => [
        student,
        ...graded.map((each) => `${each.points}${each.fate ? "*" : ""}`),
        `${points} of ${max}`,
      ]),
    ) +
    (results.some(({ exercises: graded }) => graded.some(({ fate }) => fate))
      ? "\n\n* the solution failed by itself: see the feedback"
      : "")
  );
}

/** Each exercise with what a student is told about it, as plain text. */
function withTexts(result: StudentResult): object {
  const exercises = result.exercises.map((graded) => ({
    ...graded,
    text: checkText(checkStory(graded), { stories: "all" }),
  }));
  return { ...result, exercises };
}

async function appendSummary(file: string, results: readonly StudentResult[]): Promise<void> {
  const { appendFile } = await import("node:fs/promises");
  const cell = (text: string) => text.replace(/[|\\`*_<>[\]]/g, (character) => `\\${character}`).replace(/\s+/g, " ");
  const row = (...cells: string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const rows = (graded: Graded) =>
    graded.tests.length === 0
      ? [row(graded.title, "", `0 of ${graded.max}`, graded.message ?? "")]
      : graded.tests.map((test) => {
          const told = testStory(test);
          const title = `${told.passed ? "✅" : "❌"} ${told.title}`;
          return row(graded.title, title, told.score, storyText(told, " "));
        });
  const parts = results.map(({ student, points, max, exercises, notes }) =>
    [
      `## ${cell(student)}: ${points} of ${max} points`,
      "",
      ...notes.map((note) => `> ${cell(note)}\n`),
      "| exercise | test | points | |",
      "| --- | --- | ---: | --- |",
      ...exercises.flatMap(rows),
      "",
    ].join("\n"),
  );
  await appendFile(file, `${parts.join("\n")}\n`);
}

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { gradeSource } from "../../dist/exercise/grade-source";
import { loadExercise, sourceOf } from "../../dist/exercise/exercise";
import { descendants } from "../../dist/exercise/process/descendants";
import { requireSandbox, sandbox } from "../../dist/grade/sandbox";
import { median, row, skippedRow, type Trial } from "../trial";

const students = 100;
const exercises = ["first-listener", "queue-arithmetic", "handshake-by-hand", "find-the-backlog", "fast-accept"];
const main = path.join(__dirname, "..", "..", "..", "dist", "cli", "main.js");

/** Two of three students solve an exercise; the third hands in one of its wrong solutions. */
function handIn(folder: string): void {
  const wrong: Record<string, string> = {
    "first-listener": "wrong-one-client",
    "queue-arithmetic": "wrong-minus-one",
    "handshake-by-hand": "wrong-no-ack",
    "find-the-backlog": "wrong-off-by-one",
    "fast-accept": "wrong-no-answer",
  };
  for (let student = 0; student < students; student++) {
    const place = path.join(folder, `student-${String(student).padStart(3, "0")}`);
    mkdirSync(place);
    exercises.forEach((name, at) => {
      const file = (student + at) % 3 === 0 ? `${wrong[name]}.ts` : "solution.ts";
      // no two are alike, so that no result can be reused
      writeFileSync(path.join(place, `${name}.ts`), `${sourceOf(loadExercise(name), file)}\n// ${student}\n`);
    });
  }
}

/** The experiments alone: the same checks one after the other, in bare processes and in the sandbox. ms */
async function oneByOne(progress: (text: string) => void): Promise<{ bare: number[]; overhead: number[] }> {
  const overhead: number[] = [];
  const bare: number[] = [];
  for (const name of exercises) {
    progress(`${name}, bare and in the sandbox`);
    const exercise = loadExercise(name);
    const source = sourceOf(exercise, "solution.ts");
    const times = { bare: [] as number[], sandboxed: [] as number[] };
    for (let round = 0; round < 5; round++) {
      times.bare.push((await gradeSource(exercise, source)).duration);
      times.sandboxed.push((await gradeSource(exercise, source, { wrap: sandbox })).duration);
    }
    bare.push(median(times.bare));
    overhead.push(median(times.sandboxed) - median(times.bare));
  }
  return { bare, overhead };
}

/** Students and checks that are graded per minute and core, what the sandbox adds to a check (ms), and the peak of memory. */
export const grading: Trial = {
  name: "grading",
  question: `how long does a class of ${students} take, ${exercises.length} exercises each?`,
  async run(progress) {
    try {
      requireSandbox();
    } catch (error) {
      return { rows: [skippedRow("grading", "submissions/min", (error as Error).message)], ratios: [], notes: [] };
    }
    const { bare, overhead } = await oneByOne(progress);
    const folder = mkdtempSync(path.join(tmpdir(), "class-"));
    try {
      const submissions = path.join(folder, "submissions");
      mkdirSync(submissions);
      handIn(submissions);
      progress(`${students} students`);
      const start = performance.now();
      const child = spawn(process.execPath, [main, "grade", submissions, "--out", path.join(folder, "out")], {
        stdio: ["ignore", "ignore", "ignore"],
      });
      let peak = 0;
      const timer = setInterval(
        () =>
          (peak = Math.max(
            peak,
            descendants(child.pid ?? 0).reduce((sum, { resident }) => sum + resident, 0),
          )),
        200,
      );
      const code = await new Promise((resolve) => child.once("close", resolve));
      clearInterval(timer);
      if (code !== 0) throw new Error(`grade ended with ${String(code)}`);
      const minutes = (performance.now() - start) / 60_000;
      const cores = availableParallelism();
      const graded =
        readFileSync(path.join(folder, "out", "gradebook.csv"), "utf8")
          .trim()
          .split("\n").length - 1;
      const ideal = (bare.reduce((sum, ms) => sum + ms, 0) * students) / 60_000 / cores;
      return {
        rows: [
          row("students", "per minute and core", [graded / minutes / cores]),
          row("checks", "per minute and core", [(graded * exercises.length) / minutes / cores]),
          row("a sandbox on top of a bare process, per check", "ms", overhead),
          row("memory, all processes, at its peak", "MiB", [peak / 2 ** 20]),
        ],
        ratios: [],
        notes: [
          `${minutes.toFixed(2)} min in all; the checks of perfect solutions alone, bare, on ${cores} cores: ${ideal.toFixed(2)} min. A third of the solutions is wrong; these are checked twice.`,
        ],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

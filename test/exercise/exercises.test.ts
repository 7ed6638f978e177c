import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { folderOfSuite } from "../fixtures/temporary-folder";
import { inProject } from "../fixtures/project";
import { until as waitUntil } from "../fixtures/waiting";
import { allExercises, exerciseNames, loadExercise, parseExercise, sourceOf } from "../../dist/exercise/exercise";
import { newExercise } from "../../dist/exercise/template";
import { verify } from "../../dist/exercise/verify";
import { requireSandbox, sandbox } from "../../dist/grade/sandbox";

const main = inProject("dist", "cli", "main.js");

function sandboxed() {
  try {
    requireSandbox();
    return { wrap: sandbox };
  } catch {
    return {};
  }
}

describe("exercises", function () {
  this.timeout(240_000);

  it("are those that the workbook promises, over all notebooks that have matter for them", () => {
    const all = allExercises();
    for (const name of [
      "first-listener",
      "queue-arithmetic",
      "handshake-by-hand",
      "freeze-n-handshakes",
      "find-the-backlog",
      "phantom-clients",
      "fast-accept",
      "slow-handler",
      "connection-limit",
      "survive-emfile",
      "read-the-counters",
      "cookie-detective",
      "flood-shield",
      "budget-connections",
      "restart-without-loss",
      "queue-alarm",
      "which-kernel",
    ]) {
      assert.ok(
        all.some((exercise) => exercise.name === name),
        name,
      );
    }
    assert.deepEqual(
      [...new Set(all.map(({ notebook }) => notebook))],
      ["01", "02", "03", "04", "05", "06", "07", "08", "09", "11"],
    );
  });

  it("stand before the last words of their notebook", () => {
    for (const file of readdirSync(inProject("notebooks")).filter((name) => name.endsWith(".ipynb"))) {
      const { cells } = JSON.parse(readFileSync(inProject("notebooks", file), "utf8")) as {
        cells: { cell_type: string; source: string[] }[];
      };
      const last = cells[cells.length - 1];
      assert.ok(
        last.cell_type === "markdown" && last.source.join("").startsWith("**Change this and run again:**"),
        `${file} ends with another cell`,
      );
    }
  });

  it("each reference to a section of a notebook names one that is there", () => {
    const sections = new Map<string, string[]>();
    for (const file of readdirSync(inProject("notebooks")).filter((name) => name.endsWith(".ipynb"))) {
      const { cells } = JSON.parse(readFileSync(inProject("notebooks", file), "utf8")) as {
        cells: { cell_type: string; source: string[] }[];
      };
      const lines = cells
        .filter((cell) => cell.cell_type === "markdown")
        .flatMap((cell) => cell.source.join("").split("\n"));
      sections.set(
        file.slice(0, 2),
        lines.filter((line) => line.startsWith("## ")).map((line) => line.slice(3).replaceAll("`", "")),
      );
    }
    let references = 0;
    for (const exercise of allExercises()) {
      for (const [, notebook, section] of sourceOf(exercise, "check.ts").matchAll(
        /(?<=["; ])notebook (\d\d), ([^";]+)/g,
      )) {
        references++;
        assert.ok(
          sections.get(notebook)?.includes(section),
          `${exercise.name}: notebook ${notebook} has no section "${section}"`,
        );
      }
    }
    assert.ok(references > 20);
  });

  for (const exercise of allExercises()) {
    it(`${exercise.name}: stands in its notebook as it is`, () => {
      const file = readdirSync(inProject("notebooks")).find((name) => name.startsWith(`${exercise.notebook}-`));
      assert.ok(file, `notebook ${exercise.notebook}`);
      const notebook = JSON.parse(readFileSync(inProject("notebooks", file), "utf8")) as {
        cells: {
          id: string;
          source: string[];
          metadata: { one_listener?: { exercise?: string }; nbgrader?: { points?: number } };
        }[];
      };
      const cells = Object.fromEntries(notebook.cells.map((cell) => [cell.id, cell]));
      const hint = "npm run notebooks -- --refresh brings them in";
      assert.equal(cells[exercise.name].metadata.one_listener?.exercise, exercise.name, hint);
      assert.ok(cells[`${exercise.name}-statement`].source.join("").includes(exercise.statement), hint);
      assert.equal(cells[`${exercise.name}-check`].metadata.nbgrader?.points, exercise.points, hint);
      const starter = sourceOf(exercise, "starter.ts")
        .replace(/^import .*\n/gm, "")
        .replace(/^export /gm, "")
        .trim();
      assert.equal(cells[exercise.name].source.join(""), starter, hint);
    });
  }

  it("exercise.md is taken apart, and says what it lacks", () => {
    const good = "# T\n\nnotebook 03 · 2 points · hard\n\nDo `it`.\n\n## Hints\n1. a\n2. b\nmore\n";
    const { title, points, difficulty, statement, hints, functionName } = parseExercise("two-words", good, "");
    assert.deepEqual(
      { title, points, difficulty, statement, hints, functionName },
      {
        title: "T",
        points: 2,
        difficulty: 3,
        statement: "Do `it`.",
        hints: ["a", "b\nmore"],
        functionName: "twoWords",
      },
    );
    assert.equal(parseExercise("x", good.replace("hard", "medium"), "").difficulty, 2);
    assert.equal(
      parseExercise("x", good.replace("hard", "middling"), "").difficulty,
      2,
      "the word of earlier versions",
    );
    assert.throws(() => parseExercise("x", good.replace("# T", ""), ""), {
      message: "exercises/x/exercise.md: it has no title (# …).",
    });
    assert.throws(() => parseExercise("x", good.replace("hard", "difficult"), ""), {
      message:
        'exercises/x/exercise.md: a line like "notebook 05 · 5 points · medium" is missing (warm-up, medium or hard).',
    });
    assert.throws(() => loadExercise("nonsense"), {
      message: 'There is no exercise "nonsense".',
      hint: `There are: ${exerciseNames().join(", ")}.`,
    });
    assert.throws(() => loadExercise("../src"), { message: 'There is no exercise "../src".' });
  });

  it("a new exercise has the project's format, and passes its own verification once it is built", async () => {
    const name = `tmp-${process.pid}`;
    let folder: string;
    try {
      folder = newExercise(name);
    } catch (error) {
      throw new Error("exercises/ cannot be written", { cause: error });
    }
    try {
      assert.throws(() => newExercise(name), { message: `There is an exercise "${name}" already.` });
      assert.throws(() => newExercise("Bad Name"), { message: '"Bad Name" cannot be the name of an exercise.' });
      const printedBy = (...words: string[]) =>
        new Promise<string>((resolve) =>
          execFile(process.execPath, words, { cwd: inProject() }, (_, stdout, stderr) => resolve(stdout + stderr)),
        );
      const prettier = inProject("node_modules", "prettier", "bin", "prettier.cjs");
      assert.equal(await printedBy(prettier, "--check", "--log-level", "warn", folder), "");
      assert.equal(
        await printedBy(inProject("node_modules", "typescript", "bin", "tsc"), "-b", inProject("exercises")),
        "",
      );
      const exercise = loadExercise(name);
      assert.match(sourceOf(exercise, "starter.ts"), new RegExp(`^export async function tmp${process.pid}\\(`, "m"));
      assert.deepEqual((await verify(exercise, { times: 1, ...sandboxed() })).faults, []);
    } finally {
      rmSync(folder, { recursive: true, force: true });
      rmSync(inProject(".build", "exercises", name), { recursive: true, force: true });
    }
  });

  it("the template of new exercises is none itself", () => {
    assert.ok(existsSync(inProject("exercises", "template", "exercise.md")));
    assert.ok(!exerciseNames().includes("template"));
    assert.throws(() => loadExercise("template"), { message: 'There is no exercise "template".' });
    assert.throws(() => newExercise("template"), { message: 'There is an exercise "template" already.' });
  });

  describe("watch", () => {
    const folder = folderOfSuite("answers").place;
    const file = path.join(folder, "answers", "queue-arithmetic.ts");
    const env = { ...process.env, ONE_LISTENER_PROGRESS: folder };

    it("puts the starter there, checks at every save, gives hints, and shows the solution once it passes", async () => {
      const child = spawn(process.execPath, [main, "exercise", "watch", "queue-arithmetic"], {
        cwd: folder,
        stdio: "pipe",
        env,
      });
      let [printed, progress] = ["", ""];
      child.stdout.on("data", (data) => (printed += data));
      child.stderr.on("data", (data) => (progress += data));
      const until = async (pattern: RegExp) => {
        await waitUntil(
          () => pattern.test(printed),
          () => `${pattern} did not come: ${printed}\n${progress}`,
          20_000,
        );
        printed = "";
      };
      await until(/0 of 6 points/);
      assert.ok(existsSync(file));
      const exercise = loadExercise("queue-arithmetic");
      writeFileSync(file, sourceOf(exercise, "wrong-minus-one.ts"));
      await until(
        /5 of 6 points[^]*✗ a backlog of -1 \(0 of 1\)\n {4}Done: .*\n {4}Expected: .*\n {4}Measured: .*\n {4}Read: /,
      );
      child.stdin.write("h");
      await until(/Hint 1 of 3/);
      writeFileSync(file, sourceOf(exercise, "solution.ts"));
      await until(/6 of 6 points[^]*Solved[^]*unsigned arithmetic/);
      child.stdin.write("q");
      const [code] = await once(child, "close");
      assert.equal(code, 0);
    });

    it("--once says by its status whether it passes; reset keeps what was written", async () => {
      const run = (...args: string[]) =>
        new Promise<{ code: number; stdout: string }>((resolve) =>
          execFile(process.execPath, [main, "exercise", ...args], { cwd: folder, env }, (error, stdout) =>
            resolve({ code: Number(error?.code ?? 0), stdout }),
          ),
        );
      assert.equal((await run("watch", "queue-arithmetic", "--once")).code, 0);
      const { stdout } = await run("reset", "queue-arithmetic");
      assert.match(stdout, /queue-arithmetic\.before-1\.ts/);
      assert.match(readFileSync(path.join(folder, "answers", "queue-arithmetic.before-1.ts"), "utf8"), />>> 0/);
      assert.equal((await run("watch", "queue-arithmetic", "--once")).code, 1);
      const listed = JSON.parse((await run("list", "--json")).stdout) as {
        name: string;
        standing?: { points: number };
      }[];
      assert.equal(
        listed.find(({ name }) => name === "queue-arithmetic")!.standing!.points,
        6,
        "the best attempt counts",
      );
    });
  });
});

/** What instructors complain of in the systems they use, each answered by a test that is named after the thread. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { grade, type Progress, type StudentResult } from "../../dist/grade/grade";
import { feedbackHtml } from "../../dist/grade/formats/feedback";
import { writeResults } from "../../dist/grade/formats/write";
import { requireSandbox } from "../../dist/grade/sandbox";
import { findPlaces } from "../../dist/grade/submission";
import { gradeSource } from "../../dist/exercise/grade-source";
import { loadExercise, sourceOf } from "../../dist/exercise/exercise";
import { inProject, projectText } from "../fixtures/project";
import { ArgumentError } from "../../dist/errors";
import { skip } from "../fixtures/skip";
import { folderOfSuite } from "../fixtures/temporary-folder";

const main = inProject("dist", "cli", "main.js");
const text = (exercise: string, file: string) => projectText("exercises", exercise, file);
const cell = (source: string, metadata: object = {}) => ({
  cell_type: "code",
  id: "x",
  metadata,
  execution_count: null,
  outputs: [],
  source,
});
const notebook = (...cells: object[]) =>
  JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: "tslab", language: "typescript" } },
    cells,
  });
const asCell = (source: string) => source.replace(/^import .*"one-listener";\n/gm, "").replace(/^export /gm, "");

describe("complaints about graders, answered", function () {
  this.timeout(120_000);
  const folder = folderOfSuite("complaints").place;
  let number = 0;
  before(function () {
    try {
      requireSandbox();
    } catch (error) {
      skip(this, (error as Error).message);
    }
  });

  async function gradeAll(
    files: Record<string, string>,
    options: Partial<Parameters<typeof grade>[1]> = {},
  ): Promise<Map<string, StudentResult>> {
    const place = path.join(folder, `class-${++number}`);
    mkdirSync(place);
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(place, name)), { recursive: true });
      writeFileSync(path.join(place, name), content);
    }
    const results = await grade([place], { out: path.join(folder, `out-${number}`), ...options });
    return new Map(results.map((result) => [result.student, result]));
  }

  it("nbgrader 483: student code does not run beside the gradebook", async () => {
    const out = path.join(folder, `out-${number + 1}`);
    const spy = `export function queueArithmetic() { throw new Error(require("fs").readdirSync(${JSON.stringify(out)}).join() + "|" + process.ppid); }`;
    const results = await gradeAll({ "spy.ts": spy });
    assert.match(results.get("spy")!.exercises[0].message!, /ENOENT/);
  });

  it("nbgrader PR 1324: disabling tracebacks earns no points", async () => {
    const silent =
      "process.removeAllListeners(); Error.stackTraceLimit = 0; (Error as any).prepareStackTrace = () => ''; console.error = () => undefined; process.stderr.write = () => true;\nexport function queueArithmetic() { throw new Error(''); }";
    assert.equal((await gradeAll({ "silent.ts": silent })).get("silent")!.points, 0);
  });

  it("nbgrader 174: submissions are graded in parallel", async () => {
    const seen: Progress[] = [];
    const solution = text("queue-alarm", "solution.ts");
    let most = 0;
    const timer = setInterval(() => {
      const running = readdirSync("/proc")
        .filter((pid) => /^\d+$/.test(pid))
        .filter((pid) => {
          try {
            return (
              readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("bwrap") &&
              readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(
                inProject("dist", "exercise", "process", "runner.js"),
              )
            );
          } catch {
            return false;
          }
        });
      // bwrap is two processes
      most = Math.max(most, running.length / 2);
    }, 50);
    const results = await gradeAll(
      { "a.ts": solution, "b.ts": solution, "c.ts": solution, "d.ts": solution },
      { jobs: 2, onProgress: (progress) => seen.push(progress) },
    );
    clearInterval(timer);
    assert.ok(most >= 2, `${most} sandboxes at a time`);
    assert.equal(results.size, 4);
    assert.equal(seen.at(-1)!.done, 4);
  });

  it("nbgrader 1399: partial credit and an explanation, both", async () => {
    const result = (await gradeAll({ "some.ts": text("queue-arithmetic", "wrong-minus-one.ts") })).get("some")!;
    assert.equal(result.points, 5);
    const page = feedbackHtml(result);
    assert.match(page, /5 of 6/);
    assert.match(page, /<b>Expected:<\/b> [^<]*as on the kernel/);
  });

  it("nbgrader 917, 1363: hidden tests do not leak into feedback", async () => {
    const results = await gradeAll({ "some.ts": text("first-listener", "wrong-one-client.ts") });
    const out = path.join(folder, `out-${number}`);
    writeResults([...results.values()], { out, assignment: "x" });
    const secrets = [
      "defineCheck",
      "msUntil(",
      "listenersOn",
      ...text("first-listener", "solution.ts")
        .split("\n")
        .filter((line) => line.length > 60),
    ];
    for (const file of readdirSync(path.join(out, "students"))) {
      const content = readFileSync(path.join(out, "students", file), "utf8");
      for (const secret of secrets) assert.ok(!content.includes(secret), `${file} has ${secret}`);
    }
  });

  it("nbgrader 869: students can check themselves without seeing answers", async () => {
    const exercise = loadExercise("queue-arithmetic");
    const result = await gradeSource(exercise, sourceOf(exercise, "wrong-no-one-more.ts"));
    const told = JSON.stringify(result);
    assert.ok(result.points > 0 && result.points < result.max);
    assert.ok(!told.includes("backlog >>> 0"), "the solution is not told");
  });

  it("nbgrader 1682, 1083, 1941: deleted, copied and edited cells break nothing, and are named", async () => {
    const good = asCell(text("queue-arithmetic", "solution.ts"));
    const other = asCell(text("first-listener", "solution.ts"));
    const mark = (exercise: string) => ({
      one_listener: { exercise },
      nbgrader: { grade_id: exercise, solution: true },
    });
    const results = await gradeAll({
      "deleted.ipynb": notebook(cell(other, mark("first-listener"))),
      "copied.ipynb": notebook(
        cell("function queueArithmetic() { return {}; }", mark("queue-arithmetic")),
        cell(good, mark("queue-arithmetic")),
        cell(other, mark("first-listener")),
      ),
      "unmarked.ipynb": notebook(
        cell(good),
        cell(other, { nbgrader: { grade_id: "queue-arithmetic", solution: true } }),
      ),
    });
    const of = (student: string) =>
      Object.fromEntries(results.get(student)!.exercises.map(({ exercise, points }) => [exercise, points]));
    assert.deepEqual(of("deleted"), { "first-listener": 6, "queue-arithmetic": 0 });
    assert.match(
      results.get("deleted")!.exercises.find(({ exercise }) => exercise === "queue-arithmetic")!.message!,
      /There is no queueArithmetic in what was handed in/,
    );
    assert.deepEqual(of("copied"), { "first-listener": 6, "queue-arithmetic": 6 });
    assert.match(results.get("copied")!.notes.join(), /2 cells with queueArithmetic; the last one counts/);
    assert.deepEqual(of("unmarked"), { "first-listener": 6, "queue-arithmetic": 6 });
  });

  it("otter 469, 813: an endless loop is named with its exercise, and the rest is graded", async () => {
    const results = await gradeAll(
      {
        "loops/queue-arithmetic.ts": "export function queueArithmetic() { for (;;) {} }",
        "loops/first-listener.ts": text("first-listener", "solution.ts"),
        "fine/queue-arithmetic.ts": text("queue-arithmetic", "solution.ts"),
      },
      { time: 3000 },
    );
    const loops = results.get("loops")!.exercises;
    assert.match(loops.find(({ exercise }) => exercise === "queue-arithmetic")!.message!, /had not returned after 3 s/);
    assert.equal(loops.find(({ exercise }) => exercise === "first-listener")!.points, 6);
    assert.equal(results.get("fine")!.points, 6);
  });

  it("otter 793: names that other cells use again do no harm", async () => {
    const results = await gradeAll({
      "reuse.ipynb": notebook(
        cell("const port = 1; const lab = 2;"),
        cell(asCell(text("first-listener", "solution.ts"))),
        cell("const firstListenerOld = 3; const port = 'x'; const listener = 7;"),
      ),
    });
    assert.equal(results.get("reuse")!.points, 6);
  });

  it("otter 814: a result file for each student", async () => {
    const results = await gradeAll({
      "a.ts": text("queue-arithmetic", "solution.ts"),
      "b.ts": text("queue-arithmetic", "starter.ts"),
    });
    const out = path.join(folder, `out-${number}`);
    writeResults([...results.values()], { out, assignment: "x" });
    assert.deepEqual(readdirSync(path.join(out, "students")).sort(), ["a.html", "a.json", "b.html", "b.json"]);
    assert.equal(JSON.parse(readFileSync(path.join(out, "students", "a.json"), "utf8")).points, 6);
  });

  describe("and what they take for granted", () => {
    it("the same submission gets the same points twice", async () => {
      const files = {
        "a.ts": text("queue-arithmetic", "wrong-no-one-more.ts"),
        "b.ts": text("read-the-counters", "wrong-cookies-first.ts"),
        "c.ts": text("find-the-backlog", "wrong-too-few.ts"),
      };
      const points = (results: Map<string, StudentResult>) =>
        [...results.values()].map((result) => result.exercises.map((each) => each.tests.map((test) => test.points)));
      assert.deepEqual(points(await gradeAll(files)), points(await gradeAll(files)));
    });

    it("--resume after an interruption loses nothing, and grades nothing twice", async () => {
      const place = path.join(folder, "interrupted");
      mkdirSync(place);
      for (const name of ["a", "b", "c", "d", "e", "f"])
        cpSync(inProject("exercises", "freeze-n-handshakes", "solution.ts"), path.join(place, `${name}.ts`));
      const out = path.join(folder, "interrupted-out");
      const run = (...more: string[]): { child: ChildProcess; ended: Promise<{ code: number; log: string }> } => {
        const child = spawn(process.execPath, [main, "grade", place, "--out", out, "--jobs", "1", ...more], {
          stdio: ["ignore", "ignore", "pipe"],
        });
        let log = "";
        child.stderr.on("data", (data) => (log += data));
        return { child, ended: once(child, "close").then(([code]) => ({ code: code as number, log })) };
      };
      const first = run();
      let seen = "";
      for await (const data of first.child.stderr!) {
        seen += String(data);
        if (/^2 of 6/m.test(seen)) break;
      }
      first.child.kill("SIGINT");
      await first.ended;
      const kept = readdirSync(path.join(out, "results")).length;
      assert.ok(kept >= 2 && kept < 6, `${kept} results were kept`);
      const refused = await run().ended;
      assert.equal(refused.code, 1);
      assert.match(refused.log, /holds the results of an earlier run.*--resume/s);
      const second = await run("--resume").ended;
      assert.equal(second.code, 0, second.log);
      assert.match(second.log, new RegExp(`6 of 6 \\(${kept} from before\\)`));
    });

    it("a folder that may be one student's or a class is refused, with the word that decides it", async () => {
      const files = {
        "class/alice.ts": text("queue-arithmetic", "starter.ts"),
        "class/first-listener.ts": text("first-listener", "starter.ts"),
      };
      const place = path.join(folder, "ambiguous");
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(path.dirname(path.join(place, name)), { recursive: true });
        writeFileSync(path.join(place, name), content);
      }
      assert.throws(() => findPlaces([path.join(place, "class")]), {
        message: /one student's, or a class\? first-listener\.ts .*, alice\.ts is not\.$/,
        hint: /--student NAME/,
      });
      assert.deepEqual(
        findPlaces([place]).map(({ student }) => student),
        ["class"],
      );
      assert.deepEqual(findPlaces([path.join(place, "class")], "carol"), [
        { student: "carol", places: [path.join(place, "class")] },
      ]);
    });

    it("a class in which nobody solved an exercise is refused, with what was found instead", async () => {
      await assert.rejects(gradeAll({ "a.ts": "export const nothing = 1;" }), (error: Error) => {
        assert.ok(error instanceof ArgumentError, String(error));
        assert.equal(error.message, "No submission has a solution of any exercise.");
        assert.match(error.hint ?? "", /^Say which with --exercises, and every student gets 0 points\. a: /);
        return true;
      });
    });

    it("bad input is refused before anything starts", async () => {
      for (const [args, expected] of [
        [["/nowhere", "--out", path.join(folder, "x")], /does not exist/],
        [[inProject("native"), "--out", path.join(folder, "x")], /no submission|No submission/],
        [[inProject("exercises", "fast-accept", "solution.ts"), "--out", "/proc/x"], /cannot be written/],
        [
          [
            inProject("exercises", "fast-accept", "solution.ts"),
            "--out",
            path.join(folder, "x"),
            "--exercises",
            "nonsense",
          ],
          /no exercise "nonsense"\.\n→ There are: /,
        ],
        [
          [inProject("exercises", "fast-accept", "solution.ts"), "--out", path.join(folder, "x"), "--jobs", "0"],
          /--jobs must be/,
        ],
        [
          [
            inProject("exercises", "fast-accept", "solution.ts"),
            "--out",
            path.join(folder, "x"),
            "--canvas",
            "/nowhere.csv",
          ],
          /does not exist/,
        ],
      ] as [string[], RegExp][]) {
        const child = spawn(process.execPath, [main, "grade", ...args], { stdio: ["ignore", "ignore", "pipe"] });
        let log = "";
        child.stderr.on("data", (data) => (log += data));
        const [code] = await once(child, "close");
        assert.equal(code, 1);
        assert.match(log, expected);
        assert.doesNotMatch(log, /\n {4}at /);
      }
    });
  });
});

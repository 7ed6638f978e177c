import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";
import { parse } from "csv-parse/sync";
import { folderOfSuite, TemporaryFolder } from "../fixtures/temporary-folder";
import { inProject, projectDir } from "../fixtures/project";
import type { StudentResult } from "../../dist/grade/grade";
import { canvasCsv } from "../../dist/grade/formats/canvas";
import { gradebookCsv } from "../../dist/grade/formats/csv";
import { feedbackHtml } from "../../dist/grade/formats/feedback";
import { gradescopeResults } from "../../dist/grade/formats/gradescope";
import { junitXml } from "../../dist/grade/formats/junit";
import { writeResults } from "../../dist/grade/formats/write";
import { ArgumentError } from "../../dist/errors";
import { autograderZip, templateRepository } from "../../dist/grade/packages";
import { requireSandbox } from "../../dist/grade/sandbox";
import { loadExercise } from "../../dist/exercise/exercise";
import { plot, Trace } from "one-listener";
import { skip } from "../fixtures/skip";

const figure = plot.queueDepth(
  Trace.fromRows(
    {
      queues: [
        { time: 0, acceptQueue: 0, acceptMax: 5, synQueue: 0 },
        { time: 5, acceptQueue: 6, acceptMax: 5, synQueue: 2 },
      ],
    },
    { end: 10 },
  ),
);

function student(name: string, points: number): StudentResult {
  return {
    student: name,
    points,
    max: 8,
    notes: name === "=evil()" ? ["a <note>"] : [],
    exercises: [
      {
        exercise: "fast-accept",
        title: "Fast accept",
        notebook: "05",
        points,
        max: 5,
        duration: 1234,
        figures: [figure],
        output: "printed & <b>",
        where: `${name}.ts`,
        tests: [
          {
            title: "the accept queue never overflows",
            points,
            max: 5,
            passed: points === 5,
            duration: 7,
            ...(points < 5 && {
              story: {
                did: "5,000 clients came",
                expected: "none is lost",
                measured: "731 & <more>\u0001",
                read: "notebook 05",
              },
            }),
          },
        ],
      },
      {
        exercise: "first-listener",
        title: "Your first listener",
        notebook: "01",
        points: 0,
        max: 3,
        duration: 0,
        figures: [],
        output: "",
        tests: [],
        fate: "missing",
        message: "There is no firstListener.",
      },
    ],
  };
}

describe("formats of results", () => {
  const class_ = [student("alice", 5), student("=evil()", 0)];

  it("CSV: a line a student, a column an exercise, no formula", () => {
    const rows = parse(gradebookCsv(class_));
    assert.deepEqual(rows[0], ["student", "fast-accept", "first-listener", "points", "of", "notes"]);
    assert.deepEqual(rows[1].slice(0, 5), ["alice", "5", "0", "5", "8"]);
    assert.match(rows[2][0], /^'=evil/);
  });

  describe("Canvas", () => {
    const exported =
      '\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Homework (12),One Listener (47)\n    Points Possible,,,,,10,8\n"Doe, Alice",1001,s1,alice,A,7,\n"Roe, Bob",1002,s2,bob,A,8,3\n';

    it("fills the assignment's column of its own export, and keeps what is there of others", () => {
      const rows = parse(canvasCsv([student("alice", 5)], { exported, assignment: "One Listener" }));
      assert.deepEqual(rows[0], ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "One Listener (47)"]);
      assert.deepEqual(rows[1], ["Doe, Alice", "1001", "s1", "alice", "A", "5"]);
      assert.deepEqual(rows[2], ["Roe, Bob", "1002", "s2", "bob", "A", "3"]);
      assert.equal(rows.length, 3);
    });

    it("refuses what is no export, and a submission that is no student's", () => {
      assert.throws(
        () => canvasCsv([student("alice", 5)], { exported: "a,b\n1,2\n", assignment: "x" }),
        /no column Student, ID/,
      );
      assert.throws(
        () => canvasCsv([student("alice", 5)], { exported: 'Student,ID\n"Doe', assignment: "x" }),
        (error: Error) =>
          error instanceof ArgumentError && error.message.startsWith("The export of Canvas cannot be read: "),
      );
      using folder = new TemporaryFolder("results");
      const missing = folder.path("no-export.csv");
      assert.throws(
        () => writeResults([student("alice", 5)], { out: folder.path("out"), assignment: "x", canvas: missing }),
        (error: Error) =>
          error instanceof ArgumentError && error.message.startsWith(`${missing} cannot be read: ENOENT`),
      );
      assert.throws(
        () => canvasCsv([student("mallory", 5)], { exported, assignment: "x" }),
        /Canvas's export has no student named mallory/,
      );
    });

    it("gives no submission to two students, and no student two submissions", () => {
      const twins =
        'Student,ID,SIS User ID,SIS Login ID,Section\n"Doe, Alice",1001,1002,alice,A\n"Roe, Bob",1002,1003,bob,A\n';
      assert.throws(
        () => canvasCsv([student("1002", 5)], { exported: twins, assignment: "x" }),
        /1002 may be Doe, Alice or Roe, Bob/,
      );
      assert.throws(
        () => canvasCsv([student("bob", 5), student("1003", 0)], { exported: twins, assignment: "x" }),
        /1003 may be Roe, Bob, whom bob names as well/,
      );
    });
  });

  it("JUnit: well-formed whatever a student is called or measured", () => {
    const xml = junitXml(class_);
    const check =
      "import sys, xml.etree.ElementTree as e; t = e.fromstring(sys.stdin.buffer.read()); print(len(t.findall('testsuite')), len(t.findall('.//failure')), len(t.findall('.//error')), t.find('.//failure').get('message'))";
    assert.match(execFileSync("python3", ["-c", check], { input: xml }).toString(), /^4 1 2 731 & <more>/);
  });

  it("Gradescope: results.json has the fields of its specification, and no others", () => {
    const results = gradescopeResults(class_[0]);
    assert.equal(results.score, 5);
    assert.deepEqual(
      results.tests.map(({ score, max_score, status, number }) => ({ score, max_score, status, number })),
      [
        { score: 5, max_score: 5, status: "passed", number: "1.1" },
        { score: 0, max_score: 3, status: "failed", number: "2.1" },
      ],
    );
    const top = [
      "score",
      "execution_time",
      "output",
      "output_format",
      "test_output_format",
      "test_name_format",
      "visibility",
      "stdout_visibility",
      "extra_data",
      "tests",
      "leaderboard",
    ];
    const test = [
      "score",
      "max_score",
      "status",
      "name",
      "name_format",
      "number",
      "output",
      "output_format",
      "tags",
      "visibility",
      "extra_data",
    ];
    assert.deepEqual(
      Object.keys(results).filter((key) => !top.includes(key)),
      [],
    );
    for (const each of results.tests) {
      assert.deepEqual(
        Object.keys(each).filter((key) => !test.includes(key)),
        [],
      );
      assert.ok(
        ["passed", "failed"].includes(each.status) &&
          ["hidden", "after_due_date", "after_published", "visible"].includes(each.visibility),
      );
      assert.ok(["text", "simple_format", "html", "md", "ansi"].includes(each.output_format));
    }
  });

  it("feedback: one page without the network, with points, stories and a plot that draws", async function () {
    const html = feedbackHtml(class_[1], "Week 3");
    assert.ok(
      !/https?:\/\/(?!www\.w3\.org)/.test(html.replace(/oneListener\.chunk\(0,1,"[^"]*"\)/, "")),
      "it refers to nothing outside",
    );
    assert.match(html, /<b>Expected:<\/b> none is lost/);
    assert.match(html, /731 &#38; &#60;more&#62;/);
    assert.match(html, /0 of 5/);
    const browserFile = ["chromium", "chromium-browser", "google-chrome"]
      .flatMap((name) => (process.env.PATH ?? "").split(":").map((place) => path.join(place, name)))
      .find(existsSync);
    if (!browserFile) skip(this, "no Chromium is installed");
    const browser = await chromium.launch({
      executablePath: browserFile,
      args: [...(process.geteuid!() === 0 ? ["--no-sandbox"] : []), "--disable-gpu"],
    });
    using folder = new TemporaryFolder("feedback");
    try {
      for (const [size, theme] of [
        [{ width: 1366, height: 768 }, "light"],
        [{ width: 1920, height: 1080 }, "dark"],
      ] as const) {
        const page = await browser.newPage({ viewport: size, colorScheme: theme, offline: true });
        await page.goto(`file://${folder.write("page.html", html)}`);
        await page.waitForSelector(".js-plotly-plot .main-svg", { timeout: 20_000 });
        const pictures = inProject(".artifacts", "screenshots");
        mkdirSync(pictures, { recursive: true });
        await page.screenshot({ path: path.join(pictures, `feedback-${theme}.png`), fullPage: true });
        await page.close();
      }
    } finally {
      await browser.close();
    }
  });
});

describe("packages for other systems", function () {
  this.timeout(60_000);
  const folder = folderOfSuite("packages").place;
  const exercises = [loadExercise("queue-arithmetic"), loadExercise("first-listener")];

  it("Gradescope's zip: both scripts at its root and executable, checks within, no solution", async () => {
    const out = path.join(folder, "autograder.zip");
    await autograderZip({ exercises, out, assignment: "Week 3" });
    const list =
      "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print('\\n'.join('%o %s' % (i.external_attr >> 16, i.filename) for i in z.infolist())); z.extractall(sys.argv[2])";
    const files = execFileSync("python3", ["-c", list, out, path.join(folder, "source")])
      .toString()
      .trim()
      .split("\n");
    assert.ok(files.includes("100755 setup.sh") && files.includes("100755 run_autograder"));
    assert.ok(files.some((file) => file.endsWith("one-listener/exercises/queue-arithmetic/check.ts")));
    assert.deepEqual(
      files.filter((file) => /exercises\/.*(solution|wrong-)/.test(file)),
      [],
    );
    await assert.rejects(autograderZip({ exercises, out, assignment: "x" }), /exists already/);
  });

  it("Gradescope's zip: the programs that a check starts", async () => {
    const out = path.join(folder, "programs.zip");
    await autograderZip({ exercises: [loadExercise("budget-connections")], out, assignment: "Week 3" });
    const listed = execFileSync("python3", ["-m", "zipfile", "-l", out]).toString();
    assert.match(listed, /one-listener\/exercises\/budget-connections\/programs\/keeping_server\.py /);
  });

  it("run_autograder writes results.json, also where nothing can be graded", function () {
    try {
      requireSandbox();
    } catch (error) {
      skip(this, (error as Error).message);
    }
    const home = path.join(folder, "autograder");
    mkdirSync(path.join(home, "source"), { recursive: true });
    mkdirSync(path.join(home, "submission"));
    mkdirSync(path.join(home, "results"));
    // the project is built here already
    symlinkSync(projectDir, path.join(home, "source", "one-listener"));
    const script = path.join(home, "run");
    writeFileSync(
      script,
      readFileSync(path.join(folder, "source", "run_autograder"), "utf8").replaceAll("/autograder/", `${home}/`),
    );
    chmodSync(script, 0o755);
    const run = () => {
      execFileSync(script, { stdio: "ignore" });
      return JSON.parse(readFileSync(path.join(home, "results", "results.json"), "utf8"));
    };
    writeFileSync(
      path.join(home, "submission", "mine.ts"),
      readFileSync(inProject("exercises", "queue-arithmetic", "wrong-minus-one.ts")),
    );
    const { score, tests } = run();
    assert.equal(score, 5);
    assert.equal(tests.length, 6, "five tests, and an exercise that was not handed in");
    assert.match(tests.find(({ status }: { status: string }) => status === "failed").output, /Expected: /);
    writeFileSync(path.join(home, "submission", "mine.ts"), "");
    assert.match(run().tests[0].output, /There is no queueArithmetic.*is empty/);
    // no bubblewrap in the PATH: the reason is told, nothing is graded without it
    const bin = path.join(home, "bin");
    mkdirSync(bin);
    for (const program of ["bash", "node", "mktemp", "env", "cc", "c++", "g++", "python3"])
      symlinkSync(
        program === "node" ? process.execPath : execFileSync("which", [program]).toString().trim(),
        path.join(bin, program),
      );
    execFileSync(script, { stdio: "ignore", env: { ...process.env, PATH: bin } });
    const { score: none, output } = JSON.parse(readFileSync(path.join(home, "results", "results.json"), "utf8"));
    assert.equal(none, 0);
    assert.match(output, /could not be graded[^]*apt-get install bubblewrap/);
  });

  it("GitHub's template repository: statements, starters and a workflow, no solution", () => {
    const out = path.join(folder, "repository");
    const files = templateRepository({ exercises, out, assignment: "Week 3", repository: "someone/one-listener" });
    assert.deepEqual(files.sort(), [
      ".github/workflows/check.yml",
      "README.md",
      "first-listener.ts",
      "queue-arithmetic.ts",
    ]);
    const workflow = readFileSync(path.join(out, ".github", "workflows", "check.yml"), "utf8");
    assert.match(workflow, /repository: someone\/one-listener/);
    assert.match(workflow, /--exercises "queue-arithmetic,first-listener"/);
    assert.match(workflow, /GITHUB_STEP_SUMMARY/);
    assert.ok(!/REPOSITORY|EXERCISES|ASSIGNMENT/.test(workflow));
    assert.throws(() => templateRepository({ exercises, out, assignment: "x", repository: "a/b" }), /not empty/);
    assert.throws(
      () => templateRepository({ exercises, out: path.join(folder, "n"), assignment: "x", repository: "nonsense" }),
      /no repository/,
    );
    assert.ok(statSync(path.join(out, "README.md")).size > 500);
  });
});

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { requireSandbox } from "../../dist/grade/sandbox";
import { skip } from "../fixtures/skip";
import { fileOf, leaks, names } from "./assignment-leaks";
import { type Cell, Course, type Notebook, textOf, whyNoNbgrader } from "./nbgrader-course";

describe("nbgrader itself", function () {
  this.timeout(600_000);
  const assignment = "week3";
  const file = `${assignment}.ipynb`;
  let course: Course;
  let written: Notebook;
  /** files that student code would write if it ran outside of the sandbox */
  let traces: string;

  let reason: string | undefined;
  before(() => {
    reason = whyNoNbgrader();
    try {
      requireSandbox();
    } catch (error) {
      reason ??= (error as Error).message;
    }
    if (reason) return;
    course = new Course();
    traces = course.path("traces");
    mkdirSync(traces);
    const { code, stderr } = course.release(assignment, ...names);
    assert.equal(code, 0, stderr);
    written = course.read("release", assignment, file);
  });
  beforeEach(function () {
    if (reason) skip(this, reason);
  });
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- undefined if before() skipped or failed
  after(() => course?.remove());

  const validator = `
import sys, nbformat
from nbgrader.nbgraderformat import MetadataValidator
for file in sys.argv[1:]:
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook, relax_add_props=False)
    MetadataValidator().validate_nb(notebook)
    assert all(cell.metadata.nbgrader["schema_version"] == 3 for cell in notebook.cells if "nbgrader" in cell.metadata)
`;

  it("finds both notebooks valid: nbformat, and its own metadata in schema version 3", () => {
    const { code, stderr } = course.python(
      validator,
      course.path("source", assignment, file),
      course.path("release", assignment, file),
    );
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /Warning/);
  });

  it("makes the very notebook for students that we released, without the solutions", () => {
    const { code, stderr } = course.nbgrader(["generate_assignment", assignment]);
    assert.equal(code, 0, stderr);
    const made = readFileSync(course.path("release", assignment, file), "utf8");
    assert.deepEqual(JSON.parse(made), written);
    assert.deepEqual(leaks(made, names), []);
  });

  /** What students hand in: solutions by exercise, and what else they do to the notebook. */
  function handIn(
    student: string,
    answers: Partial<Record<(typeof names)[number], string>>,
    change: (cells: Cell[]) => Cell[] = (cells) => cells,
  ): void {
    const notebook = structuredClone(written);
    for (const [name, answer] of Object.entries(answers)) notebook.cells.find(({ id }) => id === name)!.source = answer;
    course.submit(student, assignment, { ...notebook, cells: change(notebook.cells) });
  }

  const right = {
    "queue-arithmetic": fileOf("queue-arithmetic", "solution.ts"),
    "first-listener": fileOf("first-listener", "solution.ts"),
  };
  const expected = {
    perfect: 12,
    partial: 10,
    looping: 6,
    exiting: 6,
    mutilated: 12,
    throwing: 6,
    deleting: 6,
    forging: 0,
  };

  function handInHonestAndBroken(): void {
    handIn("perfect", right);
    handIn("partial", {
      "queue-arithmetic": fileOf("queue-arithmetic", "wrong-minus-one.ts"),
      "first-listener": fileOf("first-listener", "wrong-keeps-open.ts"),
    });
    handIn("looping", { ...right, "first-listener": "async function firstListener() { while (true) {} }" });
    handIn("exiting", { ...right, "queue-arithmetic": `process.exit(0);\n${right["queue-arithmetic"]}` });
    handIn("throwing", {
      ...right,
      "first-listener": `throw new Error("<b>not</b> today");\n${right["first-listener"]}`,
    });
    // an old copy before the answer, its check gone, and the other answer without any mark
    handIn("mutilated", right, (cells) =>
      cells.flatMap((cell) => {
        if (cell.id === "queue-arithmetic-check") return [];
        if (cell.id === "first-listener") return [{ ...cell, metadata: {} }];
        return cell.id === "queue-arithmetic"
          ? [structuredClone(written.cells.find(({ id }) => id === cell.id)!), cell]
          : [cell];
      }),
    );
    handIn("deleting", right, (cells) =>
      cells.filter(({ id }) => id !== "first-listener" && id !== "first-listener-check"),
    );
  }

  /** Checks and cells that would write a file if they ran outside of the sandbox, and points that nobody gave. */
  function handInForged(): void {
    const write = (name: string) => `require("node:fs").writeFileSync(${JSON.stringify(path.join(traces, name))}, "");`;
    handIn(
      "forging",
      { "first-listener": `${write("solution")}\n${fileOf("first-listener", "starter.ts")}` },
      (cells) => [
        ...cells.map((cell): Cell =>
          cell.id?.endsWith("-check")
            ? {
                ...cell,
                source: write("check"),
                metadata: {
                  nbgrader: { ...(cell.metadata.nbgrader as object), points: 600, schema_version: 99, locked: "no" },
                },
                outputs: [{ output_type: "execute_result", data: { "text/plain": "600" } }],
              }
            : cell,
        ),
        {
          cell_type: "code",
          source: write("cell"),
          metadata: { nbgrader: "mine" },
          outputs: [],
          execution_count: null,
        },
        {
          cell_type: "code",
          source: "6",
          metadata: {
            nbgrader: {
              grade: true,
              grade_id: "bonus",
              points: 100,
              locked: false,
              solution: false,
              schema_version: 3,
            },
          },
          outputs: [],
          execution_count: null,
        },
      ],
    );
  }

  it("gives every student the points that our grader found, whatever they handed in", () => {
    handInHonestAndBroken();
    handInForged();
    const { code, stderr } = course.nbgrader(["autograde", assignment]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(course.exported(), expected);
    for (const name of ["solution", "check", "cell"])
      assert.ok(!existsSync(path.join(traces, name)), `${name} ran outside of the sandbox`);
  });

  const outputsOf = (student: string, exercise: string) =>
    course
      .read("autograded", student, assignment, file)
      .cells.find(
        ({ metadata }) => (metadata.nbgrader as { grade_id?: string } | undefined)?.grade_id === `${exercise}-check`,
      )!.outputs!;

  it("has an output in each check cell: the story, and then the points", () => {
    for (const student of Object.keys(expected)) {
      for (const exercise of names) {
        const [story, points, ...more] = outputsOf(student, exercise);
        assert.deepEqual(
          [story.output_type, story.name, points.output_type, more.length],
          ["stream", "stdout", "execute_result", 0],
        );
        assert.match(textOf(points.data!["text/plain"]), /^[0-6]$/);
      }
    }
    const story = (student: string, exercise: string) => textOf(outputsOf(student, exercise)[0].text);
    assert.match(
      story("perfect", "queue-arithmetic"),
      /^Queue arithmetic: 6 of 6 points\n✓ queues that have room \(1 of 1\)\n/,
    );
    assert.match(
      story("partial", "queue-arithmetic"),
      /✗ a backlog of -1 \(0 of 1\)\n {4}Done: listen\(-1\)[^]*Measured: your function returned maximum 0/,
    );
    assert.match(story("exiting", "queue-arithmetic"), /process ended with status 0/);
    assert.match(story("mutilated", "queue-arithmetic"), /Note: .*2 cells with queueArithmetic; the last one counts/);
    assert.match(story("deleting", "first-listener"), /There is no firstListener in what was handed in/);
  });

  it("makes feedback of it, in which a student's text is text", () => {
    const { code, stderr } = course.nbgrader(["generate_feedback", assignment]);
    assert.equal(code, 0, stderr);
    for (const student of Object.keys(expected))
      assert.ok(existsSync(course.path("feedback", student, assignment, `${assignment}.html`)), student);
    const page = readFileSync(course.path("feedback", "throwing", assignment, `${assignment}.html`), "utf8");
    assert.match(page, /&lt;b&gt;not&lt;\/b&gt; today/);
    assert.doesNotMatch(page, /<b>not<\/b>/);
    assert.match(
      readFileSync(course.path("feedback", "partial", assignment, `${assignment}.html`), "utf8"),
      /Done: listen\(-1\)/,
    );
  });

  it("gives no points where the grader fails, and the reason; or leaves the submission alone, if asked to", () => {
    const broken = { ONE_LISTENER_COMMAND: "/does/not/exist grader" };
    const { code, stderr } = course.nbgrader(["autograde", assignment, "--student", "perfect", "--force"], broken);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /The grader failed: \/does\/not\/exist cannot be started/);
    assert.equal(course.exported().perfect, 0);
    for (const exercise of names)
      assert.match(outputsOf("perfect", exercise)[0].evalue!, /The grader failed.*cannot be started/);
    const refused = course.nbgrader(
      ["autograde", assignment, "--student", "partial", "--force", "--GradeInSandbox.zero_on_failure=False"],
      broken,
    );
    assert.notEqual(refused.code, 0);
    assert.ok(!existsSync(course.path("autograded", "partial", assignment)));
    assert.equal(course.nbgrader(["autograde", assignment, "--student", "perfect", "--force"]).code, 0);
    assert.equal(course.exported().perfect, 12);
  });

  it("believes no grader that gives more than there is, or nothing, or no end", () => {
    const fake = (name: string, text: string) => {
      writeFileSync(course.path(name), text);
      return { ONE_LISTENER_COMMAND: `"${process.execPath}" "${course.path(name)}"` };
    };
    const autograde = (environment: NodeJS.ProcessEnv, ...more: string[]) => {
      assert.equal(
        course.nbgrader(["autograde", assignment, "--student", "exiting", "--force", ...more], environment).code,
        0,
      );
      return names.map((name) => outputsOf("exiting", name)[0].evalue!);
    };
    const [generous, silent] = autograde(
      fake(
        "generous.cjs",
        `console.log(JSON.stringify([{ notes: [], exercises: [{ exercise: "${names[0]}", points: 7, max: 6, tests: [] }] }]))`,
      ),
    );
    assert.match(generous, /it gave 7 of 6 points/);
    assert.match(silent, /it gave no result for this exercise/);
    assert.match(
      autograde(fake("dying.cjs", "process.stderr.write('no bubblewrap\\n'); process.exit(1)"))[0],
      /no bubblewrap/,
    );
    assert.match(
      autograde(fake("endless.cjs", "setInterval(() => {}, 1000)"), "--GradeInSandbox.timeout=1")[0],
      /had not ended after 2 s/,
    );
    assert.equal(course.exported().exiting, 0);
    assert.equal(course.nbgrader(["autograde", assignment, "--student", "exiting", "--force"]).code, 0);
  });

  it("grades the class where one has handed in no notebook at all, and says who; and a notebook whose cells are in disorder", () => {
    course.submit("aaa", assignment, "nothing" as never);
    handIn("disorder", right, (cells) => cells.map((cell) => ({ ...cell, id: "same", cell_type: "markdown" })));
    const notebook = course.read("submitted", "disorder", assignment, file);
    course.submit("disorder", assignment, {
      ...notebook,
      metadata: { kernelspec: 3, authors: "me" },
      nbformat_minor: 2,
    } as never);
    const { stderr } = course.nbgrader(["autograde", assignment]);
    assert.match(stderr, /error processing assignment 'week3' for student 'aaa'/);
    assert.deepEqual(course.exported(), { ...expected, aaa: 0, disorder: 12 });
  });

  it("executes nothing with --no-execute either, and believes no output that was handed in", () => {
    const { code, stderr } = course.nbgrader([
      "autograde",
      assignment,
      "--student",
      "forging",
      "--force",
      "--no-execute",
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(course.exported().forging, 0);
  });

  it("follows an instructor who makes a cell worth more, and leaves to the instructor what no exercise checks", () => {
    const other = new Course();
    try {
      assert.equal(other.release("extra", "queue-arithmetic").code, 0);
      const source = other.read("source", "extra", "extra.ipynb");
      (source.cells.find(({ id }) => id === "queue-arithmetic-check")!.metadata.nbgrader as { points: number }).points =
        9;
      const mark = (id: string, solution: boolean) => ({
        nbgrader: {
          schema_version: 3,
          grade: true,
          solution,
          locked: !solution,
          task: false,
          points: 2,
          grade_id: id,
          cell_type: "code",
        },
      });
      const cell = { cell_type: "code", outputs: [], execution_count: null };
      source.cells.push(
        { ...cell, id: "free", source: "// write what you like", metadata: mark("free", true) },
        { ...cell, id: "own-check", source: "1;", metadata: mark("own-check", false) },
      );
      writeFileSync(other.path("source", "extra", "extra.ipynb"), JSON.stringify(source));
      const made = other.nbgrader(["generate_assignment", "extra"]);
      assert.equal(made.code, 0, made.stderr);
      const released = other.read("release", "extra", "extra.ipynb");
      assert.equal(textOf(released.cells.find(({ id }) => id === "free")!.source), "// YOUR CODE HERE");
      released.cells.find(({ id }) => id === "queue-arithmetic")!.source = fileOf(
        "queue-arithmetic",
        "wrong-minus-one.ts",
      );
      released.cells.find(({ id }) => id === "free")!.source = "// this";
      other.submit("ann", "extra", released);
      assert.equal(other.nbgrader(["autograde", "extra"]).code, 0);
      const [check, free, own] = other
        .read("autograded", "ann", "extra", "extra.ipynb")
        .cells.filter(({ metadata }) => (metadata.nbgrader as { grade?: boolean } | undefined)?.grade);
      assert.equal(textOf(check.outputs![1].data!["text/plain"]), "7.5");
      assert.deepEqual(free.outputs, []);
      assert.match(own.outputs![0].evalue!, /'own-check' is no check of an exercise/);
      assert.deepEqual(other.exported(), { ann: 7.5 });
    } finally {
      other.remove();
    }
  });

  it("finds no kernel where somebody grades without our config, so that nothing is executed", () => {
    // a kernel by the name that the notebooks carry, which leaves a trace when it is started
    const kernel = course.path(".jupyter", "data", "kernels", "tslab");
    mkdirSync(kernel, { recursive: true });
    writeFileSync(
      path.join(kernel, "kernel.json"),
      JSON.stringify({ argv: ["touch", path.join(traces, "kernel")], display_name: "trap", language: "typescript" }),
    );
    handIn("perfect", right);
    const config = course.path("nbgrader_config.py");
    renameSync(config, `${config}.away`);
    const { code, stderr } = course.nbgrader(["autograde", assignment, "--student", "perfect", "--force"]);
    renameSync(`${config}.away`, config);
    assert.notEqual(code, 0);
    assert.match(stderr, /No such kernel named one-listener-grades-this/);
    assert.ok(!existsSync(path.join(traces, "kernel")));
    assert.equal(course.nbgrader(["autograde", assignment, "--student", "perfect", "--force"]).code, 0);
    assert.equal(course.exported().perfect, 12);
    assert.ok(!existsSync(path.join(traces, "kernel")));
  });

  it("does not start where our module cannot be loaded: it would run student code itself", () => {
    writeFileSync(course.path("one_listener_nbgrader.py"), "raise RuntimeError('broken')\n");
    const { code, stderr } = course.nbgrader(["autograde", assignment, "--force"]);
    assert.notEqual(code, 0);
    assert.match(stderr, /nbgrader does not start: RuntimeError\('broken'\)/);
    assert.ok(existsSync(course.path("autograded", "perfect", assignment, file)));
  });
});

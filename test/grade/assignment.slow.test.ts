import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { allExercises, loadExercise } from "../../dist/exercise/exercise";
import { assignmentNotebook } from "../../dist/grade/nbgrader/assignment";
import { projectDir } from "../fixtures/project";
import { leaks, names } from "./assignment-leaks";
import { Course, oneListener } from "./nbgrader-course";

describe("an nbgrader assignment", () => {
  const everything = allExercises();

  it("is the same notebook for the same exercises, and its cells have ids that stay", () => {
    const one = assignmentNotebook("all", everything, "student");
    assert.deepEqual(one, assignmentNotebook("all", allExercises(), "student"));
    const ids = one.cells.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(
      ids,
      assignmentNotebook("all", everything, "instructor").cells.map(({ id }) => id),
    );
    assert.deepEqual(ids.slice(2, 5), [
      `${everything[0].name}-statement`,
      everything[0].name,
      `${everything[0].name}-check`,
    ]);
  });

  it("holds nothing of the solutions and the checks in the students' version, whatever the exercise", () => {
    assert.deepEqual(
      leaks(
        JSON.stringify(assignmentNotebook("all", everything, "student")),
        everything.map(({ name }) => name),
      ),
      [],
    );
    // the instructor's has the solutions: this would be seen
    assert.ok(
      leaks(
        JSON.stringify(assignmentNotebook("all", everything, "instructor")),
        everything.map(({ name }) => name),
      ).length > everything.length,
    );
  });

  it("is worth what its exercises are worth", () => {
    const cells = assignmentNotebook("two", names.map(loadExercise), "instructor").cells;
    assert.deepEqual(
      cells.flatMap(({ metadata: { nbgrader } }) => (nbgrader?.grade ? [[nbgrader.grade_id, nbgrader.points]] : [])),
      names.map((name) => [`${name}-check`, loadExercise(name).points]),
    );
  });

  describe("refuses, before anything is written,", () => {
    let course: Course;
    before(() => (course = new Course()));
    after(() => course.remove());

    for (const [what, args, reason] of [
      ["an exercise that does not exist", ["nonsense", "--assignment", "w"], /no exercise "nonsense"/],
      [
        "an exercise that is named twice",
        ["fast-accept", "fast-accept", "--assignment", "w"],
        /fast-accept is named twice/,
      ],
      ["a name that leads elsewhere", ["fast-accept", "--assignment", "../w"], /no name for an assignment/],
      ["no name at all", ["fast-accept"], /--assignment/],
    ] as const) {
      it(what, () => {
        const out = course.path("refused");
        const { code, stderr } = oneListener("exercise", "release", ...args, "--out", out);
        assert.equal(code, 1);
        assert.match(stderr, reason);
        assert.doesNotMatch(stderr, /\n\s+at /);
        assert.ok(!existsSync(out));
      });
    }

    it("a file as the course's folder", () => {
      writeFileSync(course.path("file"), "");
      const { code, stderr } = oneListener(
        "exercise",
        "release",
        "fast-accept",
        "--assignment",
        "w",
        "--out",
        course.path("file"),
      );
      assert.equal(code, 1);
      assert.match(stderr, /is a file/);
    });

    it("a config that is the instructor's own", () => {
      const own = course.path("own");
      mkdirSync(own);
      writeFileSync(path.join(own, "nbgrader_config.py"), "c = get_config()\n");
      const { code, stderr } = oneListener("exercise", "release", "fast-accept", "--assignment", "w", "--out", own);
      assert.equal(code, 1);
      assert.match(stderr, /one_listener_nbgrader\.configure\(c, command\)/);
      assert.ok(!existsSync(path.join(own, "source")));
    });

    it("an assignment that is there already; another one joins it, and the config keeps what was added", () => {
      assert.equal(course.release("week1", "fast-accept").code, 0);
      const config = course.path("nbgrader_config.py");
      writeFileSync(
        config,
        `${readFileSync(config, "utf8").replace(/^command = .*$/m, 'command = ["elsewhere"]')}c.CourseDirectory.course_id = "tcp"\n`,
      );
      const again = course.release("week1", "slow-handler");
      assert.equal(again.code, 1);
      assert.match(again.stderr, /week1 is there already/);
      assert.equal(course.release("week2", "slow-handler").code, 0);
      const text = readFileSync(config, "utf8");
      assert.match(text, /course_id = "tcp"/);
      assert.ok(text.includes(path.join(projectDir, "dist", "cli", "main.js")));
      assert.doesNotMatch(text, /elsewhere/);
    });
  });
});

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { writeResults } from "../../dist/grade/formats/write";
import { grade, type StudentResult } from "../../dist/grade/grade";
import { requireSandbox } from "../../dist/grade/sandbox";
import { pids } from "../fixtures/processes";
import { inProject, projectDir } from "../fixtures/project";
import { skip } from "../fixtures/skip";
import { TemporaryFolder } from "../fixtures/temporary-folder";
import { until } from "../fixtures/waiting";
import { attacks } from "./attacks";

/** A mark that programs started by this process inherit. */
const mark = `ONE_LISTENER_TEST_RUN=${process.pid}-${Date.now()}`;

/** What a process has in a file of /proc; "" once it is gone. */
function ofProcess(pid: number, file: "environ" | "cmdline"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** Processes that have inherited the mark, but this one: lab hosts, say, which are what keeps namespaces alive. */
const marked = () => pids().filter((pid) => pid !== process.pid && ofProcess(pid, "environ").includes(mark));

/** Processes of submissions: detached ones that call themselves left-behind, and runners of this project. */
const leftBehind = () =>
  pids()
    .map((pid) => ofProcess(pid, "cmdline"))
    .filter(
      (line) => line.includes("left-behind") || line.includes(inProject("dist", "exercise", "process", "runner.js")),
    );

describe("the grader and submissions of all kinds", function () {
  this.timeout(400_000);
  const folder = new TemporaryFolder("hostile");
  const out = new TemporaryFolder("graded");
  const results = new Map<string, StudentResult>();
  let knocked = 0;
  const server = net.createServer(() => knocked++);

  before(async function () {
    try {
      requireSandbox();
    } catch (error) {
      skip(this, (error as Error).message);
    }
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
    for (const { name, handIn } of attacks((server.address() as net.AddressInfo).port)) handIn(folder.path(name));
    process.env.ONE_LISTENER_TEST_RUN = mark.split("=")[1];
    const all = await grade([folder.place], { out: out.place, exercises: ["queue-arithmetic"], time: 4000, jobs: 2 });
    for (const result of all) results.set(result.student, result);
    writeResults(all, { out: out.place, assignment: "An <assignment>" });
  });
  after(() => {
    server.close();
    folder.remove();
    out.remove();
  });

  const resultOf = (name: string) => {
    const found = results.get(name) ?? results.get(name.replace(/[^\p{L}\p{N}._@ -]/gu, "_"));
    assert.ok(found, `${name} was not graded: ${[...results.keys()].join(", ")}`);
    return found;
  };

  for (const { name, points, told } of attacks(0)) {
    it(`${name}: ${points} points`, () => {
      const { notes, exercises } = resultOf(name);
      const [exercise] = exercises;
      assert.equal(exercise.points, points, JSON.stringify(exercise.message ?? exercise.tests));
      const message = exercise.message ?? notes.join("\n");
      if (told) assert.match(message, told);
      else assert.equal(message, "");
      const stories = exercise.tests.map(({ story }) => story?.measured ?? "").join("\n");
      assert.ok(message.length + stories.length < 20_000, "what a student is told is bounded");
    });
  }

  it("leaves no process and no namespace behind", async () => {
    await until(() => leftBehind().length === 0 && marked().length === 0, "processes of submissions are gone");
  });

  it("reached no server of the machine, and wrote nothing outside of the sandbox", () => {
    assert.equal(knocked, 0);
    for (const place of [projectDir, inProject("dist"), "/etc", "/usr/lib", "/"])
      assert.ok(!existsSync(path.join(place, "owned")));
  });

  it("leaves no formula and no script of a student in gradebook and feedback", () => {
    const book = out.read("gradebook.csv");
    assert.ok(!/(^|,|\n)"?[=+@-]/.test(book), "formulas");
    for (const file of readdirSync(out.path("students")).filter((each) => each.endsWith(".html"))) {
      const page = out.read(path.join("students", file));
      assert.ok(!page.includes("<script>alert"), file);
      assert.ok(!/sk_acceptq_is_full\(\) asks for|unsigned arithmetic/.test(page), `${file} has words of the solution`);
    }
  });
});

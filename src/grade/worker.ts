/** A process of the grader: runs checks one after the other. The student's code runs in sandboxes that it starts, never in here. */
import { defaultBounds } from "../exercise/child";
import { loadExercise } from "../exercise/exercise";
import { gradeProgram, seedOf } from "../exercise/grade-source";
import { CheckResult, passed } from "../exercise/result";
import { makeMemoryCgroup, removeMemoryCgroup, within } from "./memory-cgroup";
import type { Job, Done } from "./pool";
import { sandbox } from "./sandbox";

/** fates that another try would not change */
const final = new Set(["syntax", "missing", "time", "processes", "memory", "descriptors", "output", "answer"]);

const cgroup = makeMemoryCgroup();
/** ms; a check that took so long ran into mocha's limit for a test, whose body may still go on */
const suspicious = 55_000;
/** something went wrong in here that no check has caught: another process takes the next job */
let spent = false;
process.on("uncaughtExceptionMonitor", () => (spent = true));

async function run({ exercise: name, solution, tries, time }: Job): Promise<CheckResult> {
  const exercise = loadExercise(name);
  let best: CheckResult | undefined;
  for (let attempt = 1; attempt <= tries; attempt++) {
    const result = await gradeProgram(exercise, solution.program, {
      seed: seedOf(solution.source, solution.imports),
      wrap: (argv, bounds) => within(cgroup, sandbox(argv, bounds)),
      bounds: { ...defaultBounds, time },
    });
    spent ||= result.duration > suspicious;
    if (!best || result.points > best.points) best = result;
    // a machine that was busy elsewhere must not cost points
    if (passed(result) || (result.fate && final.has(result.fate))) break;
  }
  return best!;
}

process.on("message", (job: Job) => {
  run(job).then(
    (result) => process.send!({ result, spent } satisfies Done),
    (error: Error) => process.send!({ failure: error.stack ?? String(error), spent: true } satisfies Done),
  );
});
process.on("disconnect", () => process.exit()).on("SIGTERM", () => process.exit(143));
process.on("exit", () => removeMemoryCgroup(cgroup));

/** A process of the grader: runs checks one after the other. The student's code runs in sandboxes that it starts, never in here. */
import { defaultBounds } from "../exercise/bounds";
import { loadExercise } from "../exercise/exercise";
import { gradeProgram, seedOf } from "../exercise/grade-source";
import { type CheckResult, passed } from "../exercise/result";
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
  const attempt = () =>
    gradeProgram(exercise, solution.program, {
      seed: seedOf(solution.source, solution.imports),
      wrap: (argv, bounds) => within(cgroup, sandbox(argv, bounds)),
      bounds: { ...defaultBounds, time },
    });
  let best = await attempt();
  spent ||= best.duration > suspicious;
  // a machine that was busy elsewhere must not cost points
  for (let made = 1; made < tries && !decided(best); made++) {
    const result = await attempt();
    spent ||= result.duration > suspicious;
    if (result.points > best.points) best = result;
    if (decided(result)) break;
  }
  return best;
}

/** Another try would not change it. */
function decided(result: CheckResult): boolean {
  return passed(result) || (result.fate !== undefined && final.has(result.fate));
}

process.on("message", (job: Job) => {
  run(job).then(
    (result) => process.send?.({ result, spent } satisfies Done),
    (error: unknown) =>
      process.send?.({ failure: (error instanceof Error && error.stack) || String(error), spent: true } satisfies Done),
  );
});
process.on("disconnect", () => process.exit()).on("SIGTERM", () => process.exit(143));
process.on("exit", () => removeMemoryCgroup(cgroup));

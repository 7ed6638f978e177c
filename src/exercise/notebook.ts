/** Exercises in a notebook: check(), hint() and the page of one's progress. */
import { ArgumentError } from "../errors";
import { kernelHook } from "../kernel/hook";
import { newDisplayId, notebook, show, showHtml } from "../plot/display";
import { hintCard, progressTable, resultCard, runningCard, type Shown } from "./cards";
import { allExercises, loadExercise, type Exercise } from "./exercise";
import { withinSolution } from "./process/messages";
import { nextHint, noteAttempt, readProgress, type Standing } from "./progress";
import type { CheckResult } from "./result";

/** A student's function: `(lab, task)`, or `(task)` where there is no Lab. */
export type SolutionFunction = (...labAndTask: never[]) => unknown;

/**
 * Runs the check of an exercise on a function, and shows the points, the first test that was missed, and a picture of what happened.
 * The function runs in a separate process, from the cell that declares it, just as in the grader: it cannot use variables of other
 * cells. Awaiting it takes as long as the check: 1 s to 10 s.
 * @param name of the exercise: "fast-accept"
 * @param solution the function, declared in a cell that has been run
 * @throws ArgumentError there is no such exercise; `solution` is no function
 */
export async function check(name: string, solution: SolutionFunction): Promise<void> {
  // a submission may hold the check's cell, too: within a solution's process a check does nothing
  if (process.env[withinSolution]) return;
  const exercise = loadExercise(name);
  // at run time it may be anything: the types of a cell are not always right
  const given: unknown = solution;
  if (typeof given !== "function")
    throw new ArgumentError(
      `check("${name}", …) takes your function ${exercise.functionName}.`,
      "Run the cell above, which declares it.",
    );
  // a compiler and a test runner: loaded only where a check is run
  const [{ gradeSource }, { importsOf, declares }] = await Promise.all([
    import("./grade-source.js"),
    import("./source.js"),
  ]);
  const cells = kernelHook()?.sources ?? [];
  // the cell that declares the function given, which may have another name than the exercise asks for
  const declaring = cells.filter((cell) => declares(cell, solution.name)).at(-1);
  const renamed =
    solution.name === exercise.functionName ? "" : `\nexport { ${solution.name} as ${exercise.functionName} };`;
  const source =
    declaring === undefined ? `const ${exercise.functionName} = ${solution.toString()};` : `${declaring}${renamed}`;
  const imports = cells.filter((cell) => cell !== declaring && importsOf(cell).length > 0);
  const display = new CheckDisplay(exercise);
  const result = await gradeSource(exercise, source, {
    imports,
    onProgress: ({ what }) => {
      display.now(what);
    },
  });
  display.end(result, noteAttempt(result));
  for (const figure of result.figures.slice(-2)) show(figure);
}

/**
 * Shows the next hint of an exercise; the last one is shown again.
 * @param name of the exercise: "fast-accept"
 * @throws ArgumentError there is no such exercise
 */
export function hint(name: string): void {
  put(hintCard(nextHint(loadExercise(name))));
}

/** Shows all exercises of the workbook, and how far the student has come in each. */
export function showProgress(): void {
  put(progressTable(allExercises(), readProgress()));
}

function put({ html, text }: Shown): void {
  showHtml(html, text);
}

/** One display that says what is going on, and at the end what came out. */
class CheckDisplay {
  private readonly id = newDisplayId();
  private readonly send = notebook();
  private shown = false;

  constructor(private readonly exercise: Exercise) {}

  now(what: string): void {
    if (this.send) this.put(runningCard(this.exercise, what));
  }

  end(result: CheckResult, standing: Standing): void {
    this.put(resultCard(result, standing));
  }

  private put({ html, text }: Shown): void {
    if (!this.send) {
      process.stdout.write(`${text}\n`);
      return;
    }
    this.send(
      { data: { "text/html": html.toString(), "text/plain": text }, transient: { display_id: this.id } },
      this.shown,
    );
    this.shown = true;
  }
}

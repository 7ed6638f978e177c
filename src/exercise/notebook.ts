/** Exercises in a notebook: check(), hint() and the page of one's progress. */
import { ArgumentError } from "../errors";
import { html, style, type Html } from "../html";
import { kernelHook } from "../kernel/hook";
import { card } from "../plot/cards";
import { show, showHtml, newDisplayId, notebook } from "../plot/display";
import { palette } from "../plot/palette";
import { textTable } from "../wording/text-table";
import { allExercises, Exercise, loadExercise } from "./exercise";
import { nextHint, noteAttempt, readProgress, Standing } from "./progress";
import { withinSolution } from "./messages";
import { type CheckResult, passed } from "./result";
import { checkStory, checkText, storyHtml } from "./story";

/** `(lab, task)`, or `(task)` where there is no Lab */
export type SolutionFunction = (...labAndTask: never[]) => unknown;

/**
 * Runs the check of an exercise over a function, and shows the points, the first thing that was missed, and a picture of what happened.
 * The function runs in a process of its own, from the cell that declares it, just as in the grader: it cannot use variables of other cells.
 * @throws ArgumentError no such exercise; no function
 */
export async function check(name: string, solution: SolutionFunction): Promise<void> {
  if (process.env[withinSolution]) return;
  const exercise = loadExercise(name);
  if (typeof solution !== "function")
    throw new ArgumentError(
      `check("${name}", …) takes your function ${exercise.functionName}.`,
      "Run the cell above, which declares it.",
    );
  // a compiler and a test runner: only where a check is run
  const [{ gradeSource }, { importsOf, declares }] = await Promise.all([
    import("./grade-source.js"),
    import("./source.js"),
  ]);
  const cells = kernelHook()?.sources ?? [];
  // the cell that declares the function given, which may have a name of its own
  const declaring = cells.filter((cell) => declares(cell, solution.name)).at(-1);
  const renamed =
    solution.name === exercise.functionName ? "" : `\nexport { ${solution.name} as ${exercise.functionName} };`;
  const source = declaring ? `${declaring}${renamed}` : `const ${exercise.functionName} = ${solution.toString()};`;
  const imports = cells.filter((cell) => cell !== declaring && importsOf(cell).length > 0);
  const display = new Progress(exercise);
  const result = await gradeSource(exercise, source, { imports, onProgress: ({ what }) => display.now(what) });
  const standing = noteAttempt(result);
  display.end(result, standing);
  for (const figure of result.figures.slice(-2)) show(figure);
}

/** Shows the next hint of an exercise. */
export function hint(name: string): void {
  const { head, text } = nextHint(loadExercise(name));
  showHtml(card(palette.prediction, html`<b>${head}.</b> ${markdownLine(text)}`), `${head}. ${text}`);
}

/** Shows all exercises of the workbook and how far one has come. */
export function showProgress(): void {
  const standings = readProgress();
  const all = allExercises();
  const points = (of: "points" | "all") =>
    all.reduce(
      (sum, { name, points }) => sum + (of === "all" ? points : Math.min(points, standings[name]?.points ?? 0)),
      0,
    );
  const rows = all.map((exercise) => ({ exercise, standing: standings[exercise.name] }));
  const cells = rows.map(({ exercise, standing }) => {
    const share = Math.min(1, (standing?.points ?? 0) / exercise.points);
    const done = style("smallFill", { background: palette.accepted, width: `${share * 100}%` });
    const bar = html`<div ${style("smallTrack")}><div ${done}></div></div>`;
    const score = `${standing?.points ?? 0} of ${exercise.points}`;
    const [words, numbers] = [
      [exercise.notebook, exercise.title, stars(exercise), bar],
      [score, standing?.attempts ? String(standing.attempts) : ""],
    ];
    return html`<tr>${words.map((text) => html`<td ${style("textCell")}>${text}</td>`)}${numbers.map((text) => html`<td ${style("numberCell")}>${text}</td>`)}</tr>`;
  });
  const head = ["notebook", "exercise", "", "", "points", "attempts"].map(
    (text) => html`<th ${style("textCell")}>${text}</th>`,
  );
  const title = `${points("points")} of ${points("all")} points`;
  showHtml(
    html`<div ${style("headline")}><b>${title}</b></div><table ${style("table")}><thead><tr>${head}</tr></thead><tbody>${cells}</tbody></table>`,
    `${title}\n${textTable(
      [
        { title: "notebook", align: "left" },
        { title: "exercise", align: "left" },
        { title: "points", align: "right" },
        { title: "attempts", align: "right" },
      ],
      rows.map(({ exercise, standing }) => [
        exercise.notebook,
        exercise.title,
        `${standing?.points ?? 0} of ${exercise.points}`,
        String(standing?.attempts ?? 0),
      ]),
    )}`,
  );
}

function stars({ difficulty }: Exercise): string {
  return "●".repeat(difficulty) + "○".repeat(3 - difficulty);
}

/** One display that says what is going on, and at the end what came out. */
class Progress {
  private readonly id = newDisplayId();
  private readonly send = notebook();
  private shown = false;

  constructor(private readonly exercise: Exercise) {}

  now(what: string): void {
    if (this.send)
      this.put(
        card(palette.other, html`Checking <b>${this.exercise.title}</b>: ${what} …`),
        `Checking ${this.exercise.title}: ${what} …`,
      );
  }

  end(result: CheckResult, standing: Standing): void {
    const { shown, text } = resultCard(result, standing);
    if (this.send) this.put(shown, text);
    else process.stdout.write(`${text}\n`);
  }

  private put(markup: Html, text: string): void {
    this.send!(
      { data: { "text/html": String(markup), "text/plain": text }, transient: { display_id: this.id } },
      this.shown,
    );
    this.shown = true;
  }
}

function resultCard(result: CheckResult, { attempts }: Standing): { shown: Html; text: string } {
  const story = checkStory(result);
  const { head, message, tests, told, output } = story;
  const good = passed(result);
  const rows = tests.map((test) => {
    const more = test === told && html`<div ${style("story")}>${storyHtml(test)}</div>`;
    const mark = style("markCell", { color: test.passed ? palette.accepted : palette.drops });
    return html`<tr><td ${mark}>${test.mark}</td><td ${style("testCell")}>${test.title}${more}</td><td ${style("pointsCell")}>${test.score}</td></tr>`;
  });
  const attempt = attempts === 1 ? "first attempt" : `attempt ${attempts}`;
  const hintCall = `hint("${result.exercise}")`;
  const next = !good && html`<br>Next hint: <code>${hintCall}</code>`;
  const printed =
    output !== "" && html`<details><summary>What your function printed</summary><pre>${output}</pre></details>`;
  const shown = card(
    good ? palette.accepted : palette.drops,
    html`<b>${head}</b> <span ${style("faint")}>(${attempt})</span>${message !== undefined && html`<br>${message}`}<table ${style("table")}>${rows}</table>${printed}${next}`,
  );
  const text = checkText({ ...story, head: `${head} (${attempt})` });
  return { shown, text: good ? text : `${text}\nNext hint: ${hintCall}` };
}

/** `code` of one line of Markdown. */
function markdownLine(text: string): Html {
  // split() puts what the group has caught at every second place
  const parts = text.split(/`([^`]+)`/);
  return html`${parts.map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

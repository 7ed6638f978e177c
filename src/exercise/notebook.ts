/** Exercises in a notebook: check(), hint() and the page of one's progress. */
import { ArgumentError } from "../errors";
import { kernelHook } from "../kernel/hook";
import { card } from "../plot/cards";
import { show, showHtml, newDisplayId, notebook } from "../plot/display";
import { escapeHtml } from "../plot/page";
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
  showHtml(card(palette.prediction, `<b>${head}.</b> ${markdownLine(text)}`), `${head}. ${text}`);
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
    const bar = `<div style="background:var(--jp-border-color2,#ddd);width:8em;height:.7em"><div style="background:${palette.accepted};height:100%;width:${share * 100}%"></div></div>`;
    return `<tr>${[exercise.notebook, escapeHtml(exercise.title), stars(exercise), bar, `${standing?.points ?? 0} of ${exercise.points}`, standing?.attempts ? `${standing.attempts}` : ""].map((text, at) => `<td style="text-align:${at >= 4 ? "right" : "left"};padding:.2em .8em">${text}</td>`).join("")}</tr>`;
  });
  const head = ["notebook", "exercise", "", "", "points", "attempts"]
    .map((text) => `<th style="text-align:left;padding:.2em .8em">${text}</th>`)
    .join("");
  const title = `${points("points")} of ${points("all")} points`;
  showHtml(
    `<div style="font-size:1.3em;margin:.3em 0"><b>${title}</b></div><table style="font-size:1em"><thead><tr>${head}</tr></thead><tbody>${cells.join("")}</tbody></table>`,
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
        card(palette.other, `Checking <b>${escapeHtml(this.exercise.title)}</b>: ${escapeHtml(what)} …`),
        `Checking ${this.exercise.title}: ${what} …`,
      );
  }

  end(result: CheckResult, standing: Standing): void {
    const { html, text } = resultCard(result, standing);
    if (this.send) this.put(html, text);
    else process.stdout.write(`${text}\n`);
  }

  private put(html: string, text: string): void {
    this.send!({ data: { "text/html": html, "text/plain": text }, transient: { display_id: this.id } }, this.shown);
    this.shown = true;
  }
}

function resultCard(result: CheckResult, { attempts }: Standing): { html: string; text: string } {
  const story = checkStory(result);
  const { head, message, tests, told, output } = story;
  const good = passed(result);
  const rows = tests.map((test) => {
    const more = test === told ? `<div style="margin:.2em 0 .4em 1em">${storyHtml(test)}</div>` : "";
    return `<tr><td style="text-align:left;vertical-align:top;color:${test.passed ? palette.accepted : palette.drops}">${test.mark}</td><td style="text-align:left">${escapeHtml(test.title)}${more}</td><td style="text-align:right;vertical-align:top;white-space:nowrap">${test.score}</td></tr>`;
  });
  const attempt = attempts === 1 ? "first attempt" : `attempt ${attempts}`;
  const hintCall = `hint("${result.exercise}")`;
  const next = good ? "" : `<br>Next hint: <code>${hintCall}</code>`;
  const printed = output
    ? `<details><summary>What your function printed</summary><pre>${escapeHtml(output)}</pre></details>`
    : "";
  const html = card(
    good ? palette.accepted : palette.drops,
    `<b>${escapeHtml(head)}</b> <span style="opacity:.7">(${attempt})</span>${message === undefined ? "" : `<br>${escapeHtml(message)}`}<table style="font-size:1em;margin:.3em 0">${rows.join("")}</table>${printed}${next}`,
  );
  const text = checkText({ ...story, head: `${head} (${attempt})` });
  return { html, text: good ? text : `${text}\nNext hint: ${hintCall}` };
}

/** `code` of one line of Markdown. */
function markdownLine(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

/** What a notebook shows of exercises, as HTML and as text: the result of a check, a hint, the table of all exercises. Nothing is sent here. */
import { html, style, trusted, type Html } from "../html";
import { card } from "../plot/cards";
import { palette } from "../plot/palette";
import { textTable } from "../wording/text-table";
import type { Exercise } from "./exercise";
import type { Hint, Standing, Standings } from "./progress";
import { passed, type CheckResult } from "./result";
import { checkStory, checkText, outputLabel, storyHtml, type CheckStory } from "./story";

/** One display in its two forms. */
export interface Shown {
  /** for "text/html" */
  html: Html;
  /** for "text/plain" */
  text: string;
}

function shown(colour: string, body: Html, text: string): Shown {
  return { html: card(colour, body), text };
}

/** While a check runs. @param what the experiment or test under way */
export function runningCard({ title }: Exercise, what: string): Shown {
  return shown(palette.other, html`Checking <b>${title}</b>: ${what} …`, `Checking ${title}: ${what} …`);
}

/** The points of a check, its tests, the story of the first that was missed, and what the function printed. */
export function resultCard(result: CheckResult, { attempts }: Standing): Shown {
  const story = checkStory(result);
  const good = passed(result);
  const attempt = attempts === 1 ? "first attempt" : `attempt ${attempts}`;
  const hintCall = `hint("${result.exercise}")`;
  const body = html`<b>${story.head}</b> <span ${style("faint")}>(${attempt})</span>${
    story.message !== undefined && html`<br>${story.message}`
  }<table ${style("table")}>${testRows(story)}</table>${
    story.output !== "" && html`<details><summary>${outputLabel}</summary><pre>${story.output}</pre></details>`
  }${!good && html`<br>Next hint: <code>${hintCall}</code>`}`;
  const text = checkText({ ...story, head: `${story.head} (${attempt})` });
  return shown(good ? palette.accepted : palette.drops, body, good ? text : `${text}\nNext hint: ${hintCall}`);
}

function testRows({ tests, told }: CheckStory): Html[] {
  return tests.map((test) => {
    const colour = test.passed ? palette.accepted : palette.drops;
    const more = test === told && html`<div ${style("story")}>${storyHtml(test)}</div>`;
    return html`<tr><td ${style("markCell", { color: colour })}>${test.mark}</td><td ${style("textCell")}>${test.title}${more}</td><td ${style("pointsCell")}>${test.score}</td></tr>`;
  });
}

/** One hint. */
export function hintCard({ head, text }: Hint): Shown {
  return shown(palette.prediction, html`<b>${head}.</b> ${markdownLine(text)}`, `${head}. ${text}`);
}

/** All exercises, and how far the student has come in each. */
export function progressTable(exercises: readonly Exercise[], standings: Standings): Shown {
  const rows = exercises.map((exercise) => {
    const { points = 0, attempts = 0 } = standings[exercise.name] ?? {};
    return { exercise, earned: Math.min(exercise.points, points), attempts };
  });
  const earned = rows.reduce((sum, row) => sum + row.earned, 0);
  const most = rows.reduce((sum, { exercise }) => sum + exercise.points, 0);
  const title = `${earned} of ${most} points`;
  const head = ["notebook", "exercise", "", "", "points", "attempts"].map(
    (text) => html`<th ${style("textCell")}>${text}</th>`,
  );
  const markup = html`<div ${style("headline")}><b>${title}</b></div><table ${style("table")}><thead><tr>${head}</tr></thead><tbody>${rows.map(progressRow)}</tbody></table>`;
  const text = textTable(
    [
      { title: "notebook", align: "left" },
      { title: "exercise", align: "left" },
      { title: "points", align: "right" },
      { title: "attempts", align: "right" },
    ],
    rows.map(({ exercise, earned: points, attempts }) => [
      exercise.notebook,
      exercise.title,
      `${points} of ${exercise.points}`,
      String(attempts),
    ]),
  );
  return { html: markup, text: `${title}\n${text}` };
}

function progressRow({ exercise, earned, attempts }: { exercise: Exercise; earned: number; attempts: number }): Html {
  const width = `${(earned / exercise.points) * 100}%`;
  const bar = html`<div ${style("smallTrack")}><div ${style("smallFill", { background: palette.accepted, width })}></div></div>`;
  const words = [exercise.notebook, exercise.title, difficultyMark(exercise), bar];
  const numbers = [`${earned} of ${exercise.points}`, attempts > 0 ? attempts : ""];
  return html`<tr>${words.map((cell) => html`<td ${style("textCell")}>${cell}</td>`)}${numbers.map(
    (cell) => html`<td ${style("numberCell")}>${cell}</td>`,
  )}</tr>`;
}

/** "●●○": of three. */
export function difficultyMark({ difficulty }: Exercise): string {
  return "●".repeat(difficulty) + "○".repeat(3 - difficulty);
}

/** A line of Markdown as HTML; of Markdown it knows `code`. */
function markdownLine(text: string): Html {
  // the tag escapes first, and escaping leaves backquotes as they are
  return trusted(html`${text}`.toString().replace(/`([^`]+)`/g, "<code>$1</code>"));
}

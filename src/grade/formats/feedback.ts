/** A student's feedback: one HTML page that needs nothing else, with points, explanations and plots side by side. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { html, trusted, type Html } from "../../html";
import { chunkHtml, figureHtml } from "../../plot/page";
import { outputLabel, storyHtml, testStory } from "../../exercise/story";
import type { Graded, StudentResult } from "../grade";

const stylesheet = `
:root { color-scheme: light dark; --text: #1c1e21; --faint: #5b6168; --ground: #fff; --panel: #f3f4f6; --good: #0a7d4f; --bad: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --text: #e8e8e8; --faint: #a4a9b0; --ground: #16181b; --panel: #22262b; --good: #4ade9f; --bad: #ff9457; } }
body { font: 17px/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground); max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; margin: 2.4rem 0 .4rem; }
.points { float: right; font-variant-numeric: tabular-nums; } .faint { color: var(--faint); }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--panel); }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.story { background: var(--panel); border-left: 5px solid var(--bad); padding: .5rem .9rem; margin: .3rem 0; }
.story b { font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); }
pre { background: var(--panel); padding: .6rem .9rem; overflow-x: auto; white-space: pre-wrap; font-size: .85rem; }
.plot { margin: .8rem 0; } progress { width: 100%; height: 1rem; accent-color: var(--good); }
`;

let library: string | undefined;

/** The plotting library, once for all pages: half a megabyte, compressed. */
function libraryHtml(): Html {
  library ??= gzipSync(readFileSync(require.resolve("plotly.js-cartesian-dist-min"))).toString("base64");
  return chunkHtml(0, 1, library);
}

/** @param title of the assignment */
export function feedbackHtml(result: StudentResult, title = "One Listener"): string {
  const { student, points, max, exercises, notes } = result;
  const plots = exercises.some(({ figures }) => figures.length > 0);
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${student}: ${title}</title><style>${trusted(stylesheet)}</style></head>
<body>
${plots && libraryHtml()}
<h1>${title} <span class="points">${points} of ${max} points</span></h1>
<p class="faint">${student}</p>
<progress value="${points}" max="${Math.max(1, max)}">${points} of ${max}</progress>
${notes.length > 0 && html`<p class="bad">${lines(notes)}</p>`}
${exercises.map(exerciseHtml)}
</body>
</html>
`.toString();
}

/** One line for each. */
function lines(texts: readonly string[]): Html[] {
  return texts.map((text, at) => html`${at > 0 && html`<br>`}${text}`);
}

function exerciseHtml(
  { title, points, max, tests, message, figures, output, where, duration }: Graded,
  exercise: number,
): Html {
  const rows = tests.map((test) => {
    const told = testStory(test);
    const story = told.parts.length > 0 && html`<div class="story">${storyHtml(told)}</div>`;
    const mark = html`<td class="${told.passed ? "good" : "bad"}">${told.mark}</td>`;
    return html`<tr>${mark}<td>${told.title}${story}</td><td class="number">${told.score}</td></tr>`;
  });
  const drawn = figures.map(
    (figure, at) =>
      html`<div class="plot">${figureHtml(`plot-${exercise}-${at}`, figure, figure.text, undefined)}</div>`,
  );
  return html`<section>
<h2>${title} <span class="points ${points === max ? "good" : "bad"}">${points} of ${max}</span></h2>
<p class="faint">${where && `${where}, checked in ${(duration / 1000).toFixed(1)} s`}</p>
${message && html`<div class="story">${message}</div>`}
${rows.length > 0 && html`<table>${rows}</table>`}
${drawn}
${output && html`<details><summary>${outputLabel}</summary><pre>${output}</pre></details>`}
</section>
`;
}

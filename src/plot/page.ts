/** What is written into an output for the page: the page's script, and calls to it. The script itself is `src/page`. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { html, style, trusted, type Html } from "../html";
import { pageName, type PageCalls, type PageFigure } from "./page-contract";

/**
 * Environment variable with the path of the plotting library below the Jupyter server's base URL, where the server serves our project
 * (setup/jupyter.mjs). Where it is not set, the kernel sends the library.
 */
export const libraryUrlVariable = "ONE_LISTENER_PLOTLY_URL";

/** the least height of a plot's place, in pixels, where the layout does not say */
const usualHeight = 380;

let script: string | undefined;

/** The page's script: a bundle of 3 KB (setup/build.mjs). It does nothing on a page that has run it. */
function pageScript(): Html {
  script ??= readFileSync(path.join(__dirname, "..", "page", "main.js"), "utf8").trim();
  return trusted(script);
}

/** JSON that may stand inside a script element: no `<`, and no line separator that older JavaScript took for the end of a line. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, "\\u003c")
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}

/** A call to the page, as JavaScript. */
function call<Name extends keyof PageCalls>(name: Name, ...values: Parameters<PageCalls[Name]>): Html {
  return trusted(`${pageName}.${name}(${values.map(scriptJson).join(",")})`);
}

/**
 * An element with a text picture inside, and the script that draws the figure over it.
 * @param id of the element, one for each picture on a page
 * @param text the text alternative: it stands until the figure is drawn, and where scripts are not run
 * @param libraryUrl see {@link libraryUrlVariable}
 */
export function figureHtml(id: string, figure: PageFigure, text: string, libraryUrl: string | undefined): Html {
  const { data, layout, frames } = figure;
  const place = style("plot", { "min-height": `${layout.height ?? usualHeight}px` });
  const drawn = call("draw", id, { data, layout, ...(frames && { frames }) }, libraryUrl ?? null);
  return html`<div id="${id}" class="one-listener-plot" ${place}><pre>${text}</pre></div>
<script>${pageScript()}
${drawn}</script>`;
}

/** New data for a figure that is on the page already. */
export function updateHtml(id: string, { data, layout }: PageFigure): Html {
  return html`<script>window.${trusted(pageName)}&&${call("update", id, { data, layout })}</script>`;
}

/** One part of the plotting library, for servers that do not serve our project. @param base64 of the library's gzip, part `at` of `of` */
export function chunkHtml(at: number, of: number, base64: string): Html {
  return html`<script>${pageScript()}
${call("chunk", at, of, base64)}</script>`;
}

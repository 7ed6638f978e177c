/** Outputs as HTML: text first, for places that run no scripts; then the script that draws over it. */
import { gzipSync } from "node:zlib";
import type { Figure } from "./figure";
import { pageScript, type Payload } from "./page";

/** JSON below this travels as it is. */
const worthCompressing = 4000;

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** JSON that may stand inside a script element. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A figure for the page. The words stay out of it: they stand in the html already. */
export function payloadOf({ data, layout, config, frames }: Figure): Payload {
  const parts = { data, layout, config, ...(frames && { frames }) };
  const json = JSON.stringify(parts);
  return json.length < worthCompressing ? parts : gzipSync(json, { level: 6 }).toString("base64");
}

/**
 * An element that shows the figure's words, or a still picture of it, until the script has drawn the figure in its place.
 * @param image a data: URL
 * @param libraryUrl where the Jupyter server serves plotly, below its base URL; undefined: the kernel sends it
 */
export function figureHtml(id: string, figure: Figure, { image, libraryUrl }: { image?: string; libraryUrl?: string } = {}): string {
  const words = escapeHtml(figure.text);
  const still = image === undefined ? `<pre style="line-height:1.35">${words}</pre>` : `<img src="${escapeHtml(image)}" alt="${words}" style="max-width:100%">`;
  return `<div data-one-listener="${escapeHtml(id)}" style="min-height:${Number(figure.layout.height) || 380}px">${still}</div>
<script>${pageScript}
oneListener.draw(${scriptJson(id)},${scriptJson(payloadOf(figure))},${scriptJson(libraryUrl ?? null)})</script>`;
}

/** An output that is not seen, whose script brings new data to a figure on the page. */
export function updateHtml(id: string, number: number, figure: Figure): string {
  return unseen(`window.oneListener&&oneListener.update(${scriptJson(id)},${number},${scriptJson(payloadOf(figure))})`);
}

/** An output that is not seen, with one part of the library. */
export function libraryPartHtml(at: number, of: number, base64: string): string {
  return unseen(`${pageScript}\noneListener.part(${at},${of},${scriptJson(base64)})`);
}

/** JupyterLab gives every output some padding, even one without content. */
function unseen(code: string): string {
  return `<script>(function(s){var e=s&&s.closest(".jp-OutputArea-child");if(e)e.style.display="none"})(document.currentScript);${code}</script>`;
}

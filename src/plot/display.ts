/**
 * Showing things under the running cell: one display in several forms, for every frontend the one it can show.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Html } from "../html";
import { kernelHook, type DisplayBundle } from "../kernel/hook";
import type { Figure } from "./figure";
import { chunkHtml, figureHtml, libraryUrlVariable } from "./page";

/** Shows a bundle under the running cell; with `update` it replaces the displays of the same id. */
export type Send = (bundle: DisplayBundle, update: boolean) => void;

/** The way to the notebook: our launcher's hook, or tslab's own where it runs without the launcher; undefined outside notebooks. */
export function notebook(): Send | undefined {
  const hook = kernelHook();
  if (hook) return (bundle, update) => hook.display(bundle, update);
  const tslab = Object.values(require.cache).find((module) => module?.filename.endsWith("/tslab/dist/jupyter.js"))
    ?.exports as { lastWriteDisplayData?: (bundle: object, update: boolean) => void } | undefined;
  const write = tslab?.lastWriteDisplayData;
  return write && ((bundle, update) => write({ metadata: {}, transient: {}, ...bundle }, update));
}

/** A name for a display or an element, different from all others. */
export function newDisplayId(): string {
  return `one-listener-${randomBytes(6).toString("hex")}`;
}

/** A figure in every form: live html, plotly's own mime type, text. */
export function figureBundle(figure: Figure, elementId: string): DisplayBundle["data"] {
  const { data, layout, frames, text } = figure;
  return {
    "text/html": String(figureHtml(elementId, figure, text, process.env[libraryUrlVariable])),
    "application/vnd.plotly.v1+json": { data, layout, ...(frames && { frames }), config: { displaylogo: false } },
    "text/plain": text,
  };
}

/** Shows a figure under the running cell; outside notebooks its text. */
export function show(figure: Figure): void {
  const send = notebook();
  if (!send) {
    process.stdout.write(`${figure.text}\n`);
    return;
  }
  embedLibrary(send);
  send({ data: figureBundle(figure, newDisplayId()) }, false);
}

/** Shows markup under the running cell; outside notebooks its text form. */
export function showHtml(markup: Html, text: string): void {
  const send = notebook();
  if (send) send({ data: { "text/html": String(markup), "text/plain": text } }, false);
  else process.stdout.write(`${text}\n`);
}

/** characters of a part of the library */
const chunkSize = 220_000;
/** ms between two parts: below a Jupyter server's limit of 1 MB per second */
const chunkInterval = 400;
/** ms after which the output that carried a part is emptied */
const carriedFor = 8000;
let embedded = false;

/**
 * On a server that does not serve our project, the page gets the library from the kernel: once, in parts, and the outputs that
 * carried it are emptied again, so that it is never saved with the notebook.
 */
export function embedLibrary(send: Send): void {
  if (embedded || process.env[libraryUrlVariable]) return;
  embedded = true;
  const base64 = gzipSync(readFileSync(require.resolve("plotly.js-cartesian-dist-min"))).toString("base64");
  const count = Math.ceil(base64.length / chunkSize);
  void (async () => {
    for (let at = 0; at < count; at++) {
      const transient = { display_id: newDisplayId() };
      const part = String(chunkHtml(at, count, base64.slice(at * chunkSize, (at + 1) * chunkSize)));
      send({ data: { "text/html": part, "text/plain": "" }, transient }, false);
      setTimeout(() => {
        send({ data: { "text/html": "", "text/plain": "" }, transient }, true);
      }, carriedFor).unref();
      await sleep(chunkInterval);
    }
  })();
}

/**
 * Showing things under the running cell: one display in several forms, so that every frontend finds one that it can show.
 */
import type { DisplayBundle } from "../kernel/hook";
import type { Figure } from "./figure";
import { figureHtml } from "./html";
import { libraryUrl, offerLibrary, resendLibrary } from "./library";
import { newDisplayId, notebook } from "./notebook";

/** HTML with its text alternative. */
export interface Fragment {
  html: string;
  text: string;
}

/**
 * A figure in every form: html that draws it, plotly's own mime type (an object), text.
 * @param options.image a data: URL of a still picture, shown where scripts do not run
 */
export function figureBundle(figure: Figure, { id = newDisplayId(), image }: { id?: string; image?: string } = {}): DisplayBundle["data"] {
  const { data, layout, frames, config, text } = figure;
  return {
    "text/html": figureHtml(id, figure, { image, libraryUrl: libraryUrl() }),
    "application/vnd.plotly.v1+json": { data, layout, ...(frames && { frames }), config },
    "text/plain": text,
  };
}

/** Shows a figure, or html with its text, under the running cell. Outside notebooks: prints the text. */
export function show(what: Figure | Fragment): void {
  const send = notebook();
  if (!send) {
    process.stdout.write(`${what.text}\n`);
  } else if ("html" in what) {
    send({ data: { "text/html": what.html, "text/plain": what.text } }, false);
  } else {
    offerLibrary(send);
    send({ data: figureBundle(what) }, false);
  }
}

/** Brings the plotting library to a page that was reloaded. Only of use on Jupyter servers that were not started by `npm start`. */
export function reload(): void {
  const send = notebook();
  if (send) resendLibrary(send);
}

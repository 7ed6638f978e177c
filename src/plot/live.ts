/**
 * A plot that moves while its cell runs, and freezes into the whole recording at the end.
 */
import type { Recording, Trace } from "../trace";
import { embedLibrary, figureBundle, newDisplayId, notebook } from "./display";
import type { Figure } from "./figure";
import { overview } from "./overview";
import { updateHtml } from "./page";

/** ms between two pictures: a little over 6 a second */
const interval = 150;
/** points of a line while it moves; the last picture has them all */
const livePoints = 300;
/** a Jupyter server drops output above 1 MB a second; a heavy picture moves more slowly */
const bytesAMillisecond = 400;

/**
 * Draws the recording once into an element that stays; an invisible second display carries new data. Does nothing outside notebooks.
 * Source of the two-display form: an update of the first one would replace its element, and flicker.
 */
export function live(recording: Recording, makeFigure: (trace: Trace, options: { points?: number }) => Figure = overview): void {
  const send = notebook();
  if (!send) return;
  embedLibrary(send);
  const element = newDisplayId();
  const picture = { display_id: newDisplayId() };
  const carrier = { display_id: newDisplayId() };
  send({ data: figureBundle(makeFigure(recording.trace, { points: livePoints }), element), transient: picture }, false);
  send({ data: { "text/html": "", "text/plain": "" }, transient: carrier }, false);

  let timer = setTimeout(move, interval).unref();
  function move(): void {
    if (!recording.running) return;
    const html = updateHtml(element, makeFigure(recording.trace, { points: livePoints }));
    send!({ data: { "text/html": html, "text/plain": "" }, transient: carrier }, true);
    timer = setTimeout(move, Math.max(interval, html.length / bytesAMillisecond)).unref();
  }
  recording.onUpdate(() => {
    if (recording.running) return;
    clearTimeout(timer);
    send({ data: figureBundle(makeFigure(recording.trace, {}), element), transient: picture }, true);
    send({ data: { "text/html": "", "text/plain": "" }, transient: carrier }, true);
  });
}

/**
 * A plot that moves while its cell runs, and freezes into the whole recording at the end.
 */
import type { Recording, Trace } from "../trace";
import { embedLibrary, figureBundle, newDisplayId, notebook } from "./display";
import type { Figure } from "./figure";
import { overview } from "./overview";
import { updateHtml } from "./page";

/** ms between two pictures */
const interval = 120;

/**
 * Draws the recording once into an element that stays; an invisible second display carries new data. Does nothing outside notebooks.
 * Source of the two-display form: an update of the first one would replace its element, and flicker.
 */
export function live(recording: Recording, makeFigure: (trace: Trace) => Figure = overview): void {
  const send = notebook();
  if (!send) return;
  embedLibrary(send);
  const element = newDisplayId();
  const picture = { display_id: newDisplayId() };
  const carrier = { display_id: newDisplayId() };
  send({ data: figureBundle(makeFigure(recording.trace), element), transient: picture }, false);
  send({ data: { "text/html": "", "text/plain": "" }, transient: carrier }, false);

  let shown = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const move = () => {
    timer = undefined;
    if (!recording.running) return;
    shown = performance.now();
    send({ data: { "text/html": updateHtml(element, makeFigure(recording.trace)), "text/plain": "" }, transient: carrier }, true);
  };
  recording.onUpdate(() => {
    if (!recording.running) {
      clearTimeout(timer);
      send({ data: figureBundle(makeFigure(recording.trace), element), transient: picture }, true);
      send({ data: { "text/html": "", "text/plain": "" }, transient: carrier }, true);
      return;
    }
    timer ??= setTimeout(move, Math.max(0, shown + interval - performance.now())).unref();
  });
}

/**
 * A plot that moves while its cell runs, and freezes into the whole recording at the end.
 */
import type { Recording, Trace } from "../trace";
import type { Ladder } from "../ladder/ladder";
import { embedLibrary, figureBundle, newDisplayId, notebook } from "./display";
import type { Figure } from "./figure";
import { ladder as ladderFigure } from "./ladder";
import { overview } from "./overview";
import { updateHtml } from "./page";

/** ms between two pictures: a little over 6 per second */
const interval = 150;
/** points of a line while it moves; the last picture has them all */
const livePoints = 300;
/** a Jupyter server drops output above 1 MB per second; a heavy picture moves more slowly */
const bytesPerMillisecond = 400;

/** How {@link live} asks for its picture. */
export interface LiveOptions {
  /** about the largest number of points per line; undefined: every point of the figure */
  points?: number;
}

/**
 * Draws the recording once into an element that stays; an invisible second display carries new data, because an update
 * of the first one would replace its element, and flicker. At the end the whole picture replaces both. Does nothing
 * outside notebooks.
 * @param makeFigure the picture of what has been recorded so far; default: the overview
 */
export function live(
  recording: Recording,
  makeFigure: (trace: Trace, options: LiveOptions) => Figure = overview,
): void {
  const picture = movingPicture((points) => makeFigure(recording.trace, { points }));
  if (!picture) return;
  const move = () => {
    if (!recording.running) return;
    timer = setTimeout(move, Math.max(interval, picture.move() / bytesPerMillisecond)).unref();
  };
  let timer = setTimeout(move, interval).unref();
  recording.onUpdate(() => {
    if (recording.running) return;
    clearTimeout(timer);
    picture.freeze();
  });
}

/** A ladder that grows with each step, under the cell that has made it, and freezes when it is closed. */
export function liveLadder(ladder: Ladder): void {
  const picture = movingPicture(() => ladderFigure(ladder));
  if (!picture) return;
  let timer: NodeJS.Timeout | undefined;
  ladder.onChange(() => {
    if (!ladder.running) {
      clearTimeout(timer);
      picture.freeze();
    } else {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (ladder.running) picture.move();
      }, interval).unref();
    }
  });
}

interface MovingPicture {
  /** Sends new data for the picture on the page. @returns how many characters were sent */
  move(): number;
  /** Shows the whole picture, as it will be saved. */
  freeze(): void;
}

/** Shows a figure under the running cell, to be drawn anew from fresh data; undefined outside notebooks. */
function movingPicture(figure: (points?: number) => Figure): MovingPicture | undefined {
  const send = notebook();
  if (!send) return undefined;
  embedLibrary(send);
  const element = newDisplayId();
  const picture = { display_id: newDisplayId() };
  const carrier = { display_id: newDisplayId() };
  send({ data: figureBundle(figure(livePoints), element), transient: picture }, false);
  send({ data: { "text/html": "", "text/plain": "" }, transient: carrier }, false);
  return {
    move() {
      const markup = String(updateHtml(element, figure(livePoints)));
      send({ data: { "text/html": markup, "text/plain": "" }, transient: carrier }, true);
      return markup.length;
    },
    freeze() {
      send({ data: figureBundle(figure(), element), transient: picture }, true);
      send({ data: { "text/html": "", "text/plain": "" }, transient: carrier }, true);
    },
  };
}

/** A plot that moves while its cell runs, and freezes into the whole recording at the end. */
import type { Recording, Trace } from "../trace";
import { figureBundle } from "./display";
import type { Figure } from "./figure";
import { updateHtml } from "./html";
import { offerLibrary } from "./library";
import { newDisplayId, notebook, type Send } from "./notebook";
import { overview } from "./overview";
import type { StepOptions } from "./step-line";

export type MakeFigure = (trace: Trace, options?: StepOptions) => Figure;

/** ms between two pictures: 8 a second */
const interval = 125;
/** Where nothing happens only the time axis goes on: for so many ms of quiet, so many ms between two pictures. Then the picture waits. */
const quietPace = [
  { until: 10_000, interval: 200 },
  { until: 120_000, interval: 1000 },
] as const;
/** most points of a moving line; fewer if the picture would be heavier than `heaviest` */
const livePoints = 400;
const fewestPoints = 60;
/** characters of a moving picture before compression */
const heaviest = 60_000;

/**
 * Draws the recording under the running cell and keeps the picture moving until the recording ends; then it becomes the whole
 * recording, in all the forms of show(). Does nothing outside notebooks.
 *
 * Two displays: the picture's element stays, because an updated display is replaced by a new element, which flickers. A second display,
 * which nobody sees, carries new data to that element.
 * @returns ends the movement early and leaves the picture as it is
 */
export function live(recording: Recording, makeFigure: MakeFigure = overview): () => void {
  const send = notebook();
  if (!send) return () => undefined;
  offerLibrary(send);
  return new LivePlot(recording, makeFigure, send).stop;
}

class LivePlot {
  readonly #id = newDisplayId();
  readonly #picture = { display_id: newDisplayId() };
  readonly #carrier = { display_id: newDisplayId() };
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #unsubscribe: () => void;
  #number = 0;
  #points = livePoints;
  #changed = false;
  #changedAt = performance.now();
  #drawnAt = performance.now();
  #over = false;

  constructor(
    private readonly recording: Recording,
    private readonly makeFigure: MakeFigure,
    private readonly send: Send,
  ) {
    const running = recording.running;
    const first = makeFigure(recording.trace, running ? { points: livePoints, hover: false } : undefined);
    send({ data: figureBundle(first, { id: this.#id }), transient: this.#picture }, false);
    this.#unsubscribe = recording.onUpdate(() => (recording.running ? (this.#changed = true) : this.#guarded(() => this.#freeze())));
    if (!running) return;
    send({ data: { "text/html": "", "text/plain": "" }, transient: this.#carrier }, false);
    this.#timer = setInterval(() => this.#guarded(() => this.#move()), interval);
    this.#timer.unref();
  }

  readonly stop = (): void => {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#timer);
    this.#unsubscribe();
    if (this.#timer) this.send({ data: { "text/html": "", "text/plain": "" }, transient: this.#carrier }, true);
  };

  #move(): void {
    const now = performance.now();
    const quiet = now - this.#changedAt;
    const pace = quietPace.find(({ until }) => quiet < until)?.interval ?? Infinity;
    // a timer comes a little early or late: half a tick is on time
    if (!this.#changed && now - this.#drawnAt < pace - interval / 2) return;
    if (this.#changed) this.#changedAt = now;
    this.#changed = false;
    this.#drawnAt = now;
    const figure = this.makeFigure(this.recording.trace, { points: this.#points, hover: false });
    const size = JSON.stringify(figure.data).length;
    if (size > heaviest) this.#points = Math.max(fewestPoints, Math.floor(this.#points * 0.7));
    else if (size < heaviest / 3) this.#points = Math.min(livePoints, Math.ceil(this.#points * 1.3));
    this.send({ data: { "text/html": updateHtml(this.#id, ++this.#number, figure), "text/plain": "" }, transient: this.#carrier }, true);
  }

  /** A new element, and one that needs nothing of what the page has seen before: the page may have been reloaded. */
  #freeze(): void {
    this.send({ data: figureBundle(this.makeFigure(this.recording.trace)), transient: this.#picture }, true);
    this.stop();
  }

  /** A figure that cannot be made ends the movement, not the cell. */
  #guarded(draw: () => void): void {
    try {
      if (!this.#over) draw();
    } catch (error) {
      this.stop();
      process.emitWarning(error as Error);
    }
  }
}

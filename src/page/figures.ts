/**
 * The figures on the page, each in an element that stays: drawn, given new data, drawn again when the theme changes.
 */
import type { Config } from "plotly.js";
import type { PageFigure } from "../plot/page-contract";
import { loadedPlotly, loadPlotly } from "./library";
import { themed } from "./theme";

/** ms that an element may take to appear after its output's script has run, and ms between two looks for it */
const patience = 5000;
const interval = 50;

const config: Partial<Config> = {
  displaylogo: false,
  responsive: true,
  modeBarButtonsToRemove: ["select2d", "lasso2d"],
};

/** What is to be drawn once the library and the element are there, by the element's id. */
const waiting = new Map<string, PageFigure>();
/** What has been drawn. An element that leaves the page takes its figure along. */
const drawn = new WeakMap<Element, PageFigure>();

/** See PageCalls.draw. */
export function draw(id: string, figure: PageFigure, libraryUrl: string | null): void {
  waiting.set(id, figure);
  void loadPlotly(libraryUrl).then(() => {
    drawWhenThere(id, patience / interval);
  }, console.error);
}

/** See PageCalls.update. */
export function update(id: string, figure: PageFigure): void {
  if (waiting.has(id)) waiting.set(id, figure);
  else paint(id, figure);
}

/** Draws all figures again, in the theme that the page has now. */
export function redrawAll(): void {
  for (const element of document.querySelectorAll(".one-listener-plot")) {
    const figure = drawn.get(element);
    if (figure) paint(element.id, figure);
  }
}

/** JupyterLab runs an output's script before it puts the output into the page. */
function drawWhenThere(id: string, tries: number): void {
  const figure = waiting.get(id);
  if (!figure) return;
  if (document.getElementById(id)) {
    waiting.delete(id);
    paint(id, figure);
  } else if (tries > 0) {
    setTimeout(drawWhenThere, interval, id, tries - 1);
  }
}

function paint(id: string, figure: PageFigure): void {
  const element = document.getElementById(id);
  const plotly = loadedPlotly();
  if (!element || !plotly) return;
  const before = drawn.get(element);
  // the text alternative goes
  if (!before) element.textContent = "";
  // new data may come without the frames, which plotly keeps with the element
  const frames = before?.frames ?? figure.frames;
  drawn.set(element, { ...figure, ...(frames && { frames }) });
  void plotly
    .react(element, figure.data, themed(figure.layout, element), config)
    .then((plot) => (frames && !before?.frames ? plotly.addFrames(plot, frames) : undefined))
    .catch(console.error);
}

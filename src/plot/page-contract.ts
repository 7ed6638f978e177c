/**
 * What the notebook's process sends to the page, and what the page can be asked. Both sides take these types: `src/plot` writes the
 * calls into outputs, `src/page` answers them in the reader's browser. It is the only file that `src/page` imports from elsewhere: the
 * page knows figures as plain data, and nothing of the kernel.
 */
import type { Frame, Layout, PlotData } from "plotly.js";

/** A figure as plotly takes it: plain data, so it can be sent as JSON and saved in a notebook. */
export interface PageFigure {
  /** what is drawn: lines, bars, fields */
  data: Partial<PlotData>[];
  /** axes, labels, lines across the picture. Colours of text and grid are the page's: it knows its theme */
  layout: Partial<Layout>;
  /** the moments of a moving picture, which a button or a slider of the layout shows */
  frames?: Partial<Frame>[];
}

/** The calls that an output may make, all of them methods of {@link pageName}. None throws; a call for an element that is gone does nothing. */
export interface PageCalls {
  /**
   * Draws a figure into the element `id`, once the plotting library is there and the element stands on the page.
   * @param libraryUrl the library, below the Jupyter server's base URL; null: it comes from the kernel, by {@link PageCalls.chunk}
   */
  draw(id: string, figure: PageFigure, libraryUrl: string | null): void;
  /** Draws new data into an element that has been drawn, without a flicker; the frames stay. */
  update(id: string, figure: PageFigure): void;
  /** Takes part `at` of `of` of the plotting library: base64 of its gzip, cut into parts that a Jupyter server lets pass. */
  chunk(at: number, of: number, base64: string): void;
}

/** The page's name in the browser's `window`: there once for all outputs of a page. */
export const pageName = "oneListener";

/**
 * What runs in the reader's browser: loads plotly once for a page, draws figures into elements that stay, follows the page's theme.
 * The bundle of this folder (setup/build.mjs) stands in every output that draws, because any output may be the first that a page
 * shows: cells are run in any order, outputs are cleared, a page is reloaded. An output that only brings new data does not carry it.
 */
import { pageName, type PageCalls } from "../plot/page-contract";
import { draw, redrawAll, update } from "./figures";
import { takeChunk } from "./library";

declare global {
  interface Window {
    [pageName]?: PageCalls;
  }
}

if (!window[pageName]) {
  window[pageName] = { draw, update, chunk: takeChunk };
  // JupyterLab writes its theme into these attributes
  new MutationObserver(redrawAll).observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"],
  });
}

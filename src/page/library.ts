/** The plotting library: from the Jupyter server where it serves our project, else from the kernel in parts. */
import type * as PlotlyModule from "plotly.js";

/** The plotting library as its script leaves it in the window. */
export type Plotly = typeof PlotlyModule;

declare global {
  interface Window {
    Plotly?: Plotly;
    /** an AMD loader, which a script would register with instead of setting its global */
    define?: unknown;
  }
}

let loading: Promise<Plotly> | undefined;

let parts: string[] = [];
let announceParts: (base64: string) => void;
/** settled once all parts have come */
const fromParts = new Promise<string>((resolve) => {
  announceParts = resolve;
}).then(inflate);

/** The library, once its script has run on this page. */
export function loadedPlotly(): Plotly | undefined {
  // `window` itself has the type of a page on which the script has run
  const page: Window = window;
  return page.Plotly;
}

/** The library, loaded at the first call. @param url see PageCalls.draw */
export function loadPlotly(url: string | null): Promise<Plotly> {
  const plotly = loadedPlotly();
  return plotly ? Promise.resolve(plotly) : (loading ??= (url === null ? fromParts : download(url)).then(run));
}

/** One part of the library; see PageCalls.chunk. */
export function takeChunk(at: number, of: number, base64: string): void {
  if (parts.length !== of) parts = Array.from<string>({ length: of }).fill("");
  parts[at] = base64;
  if (parts.every((part) => part !== "")) announceParts(parts.join(""));
}

/** From the server; a server whose root is another folder does not have it, and then the kernel sends it. */
async function download(url: string): Promise<string> {
  const answer = await fetch(baseUrl() + url, { credentials: "same-origin" }).catch(() => undefined);
  return answer?.ok ? answer.text() : fromParts;
}

/** The Jupyter server's base URL: JupyterLab and Notebook 7 have it in their configuration, older pages in the body. */
function baseUrl(): string {
  try {
    const config = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "") as {
      baseUrl?: string;
    };
    return config.baseUrl ?? "/";
  } catch {
    return document.body.dataset.baseUrl ?? "/";
  }
}

async function inflate(base64: string): Promise<string> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

/** Runs the library's script in the global scope, hidden from an AMD loader. @throws Error it is not plotly */
function run(script: string): Plotly {
  const { define } = window;
  window.define = undefined;
  try {
    const element = document.createElement("script");
    element.textContent = script;
    document.head.append(element);
    element.remove();
  } finally {
    window.define = define;
  }
  const plotly = loadedPlotly();
  if (!plotly) throw new Error("One Listener: the plotting library did not load");
  return plotly;
}

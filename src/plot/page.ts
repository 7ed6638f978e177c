/* eslint-disable @typescript-eslint/no-explicit-any */
import { onDark, theme } from "./palette";

/** What travels to the page: a figure as JSON, or its gzip in base64 where that is smaller. */
export type Payload = string | object;

/** What the script in the page offers to the scripts of single outputs, as `window.oneListener`. */
export interface PagePlots {
  /** Draws a figure into the elements `data-one-listener="id"`. `url`: the library below the server's base URL; null: the kernel sends it */
  draw(id: string, payload: Payload, url: string | null): void;
  /** New data for a figure that is drawn; older numbers than the last are late and dropped. */
  update(id: string, number: number, payload: Payload): void;
  /** One of `of` parts of the library: gzip in base64. */
  part(at: number, of: number, base64: string): void;
}

/**
 * Runs in the reader's browser, not here: its source text is a part of every output, because any output may be the first that a page shows.
 * So it may use nothing from outside itself. It finds plotly once a page, draws figures into elements that stay, and follows the
 * page's theme.
 */
export function pagePlots(page: any, stand: typeof theme, lighter: typeof onDark): void {
  if (page.oneListener) return;
  const { document } = page;
  const mark = "data-one-listener";
  let library: Promise<any> | undefined;
  let partsHere: (base64: string) => void = () => {};
  const parts: string[] = [];
  const fromKernel = new Promise<string>((resolve) => (partsHere = resolve));

  async function inflate(base64: string): Promise<string> {
    const bytes = page.Uint8Array.from(page.atob(base64), (character: string) => character.charCodeAt(0));
    return new page.Response(new page.Blob([bytes]).stream().pipeThrough(new page.DecompressionStream("gzip"))).text();
  }

  function baseUrl(): string {
    try {
      return JSON.parse(document.getElementById("jupyter-config-data").textContent).baseUrl || "/";
    } catch {
      return document.body.dataset.baseUrl || "/";
    }
  }

  // Without define, module and exports in sight, or a module loader on the page would keep plotly for itself.
  const run = (code: string): void => new page.Function("define", "module", "exports", code)();

  async function fromServer(url: string): Promise<void> {
    const answer = await page.fetch(baseUrl() + url, { credentials: "same-origin" });
    if (!answer.ok) throw new Error("HTTP " + answer.status);
    run(await answer.text());
  }

  function plotly(url: string | null): Promise<any> {
    library ??= (async () => {
      if (page.Plotly) return page.Plotly;
      const sent = fromKernel.then(inflate).then(run);
      await (url ? fromServer(url).catch(() => sent) : sent);
      return page.Plotly;
    })();
    return library;
  }

  /** as the palette writes a translucent colour */
  const channels = (hex: string): string => "rgba(" + [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(",") + ",";

  function colours(root: any): Map<string, string> {
    const probe = root.appendChild(document.createElement("span"));
    const resolve = (css: string): string => {
      probe.style.color = css;
      return page.getComputedStyle(probe).color;
    };
    const found = new Map<string, string>([
      [stand.text, resolve("var(--jp-content-font-color1, var(--vscode-editor-foreground, currentcolor))")],
      [stand.faint, resolve("var(--jp-content-font-color2, var(--vscode-descriptionForeground, currentcolor))")],
      [stand.grid, resolve("var(--jp-border-color2, var(--vscode-panel-border, rgba(128,128,128,0.35)))")],
      [stand.panel, resolve("var(--jp-layout-color2, var(--vscode-editorWidget-background, rgba(128,128,128,0.1)))")],
      [stand.halo, resolve("var(--jp-layout-color0, var(--vscode-editor-background, Canvas))").replace(/^rgb\((.*)\)$/, "rgba($1, 0.85)")],
    ]);
    probe.remove();
    const [red, green, blue] = (found.get(stand.halo) ?? "").match(/\d+/g)?.map(Number) ?? [255, 255, 255];
    if (red + green + blue < 300) {
      for (const [shade, lighterShade] of Object.entries(lighter)) {
        found.set(shade, lighterShade);
        found.set(channels(shade), channels(lighterShade));
      }
    }
    return found;
  }

  function themed(value: any, found: Map<string, string>): any {
    if (typeof value === "string") {
      if (/rgb|#/.test(value)) for (const [stand, colour] of found) value = value.replaceAll(stand, colour);
      return value;
    }
    if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map((each) => themed(each, found));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, themed(each, found)]));
    return value;
  }

  async function paintOnce(root: any): Promise<void> {
    const state = root.oneListener;
    const { payload, url } = state;
    state.payload = undefined;
    if (payload) state.figure = typeof payload === "string" ? JSON.parse(await inflate(payload)) : payload;
    const Plotly = await plotly(url);
    const { data, layout, config, frames } = themed(state.figure, colours(root));
    if (frames) await Plotly.newPlot(state.target, { data, layout, config, frames });
    else await Plotly.react(state.target, data, layout, config);
    if (state.words) state.words.style.display = "none";
    state.drawn = (state.drawn || 0) + 1;
  }

  // One painting at a time; what comes meanwhile is painted next, only the latest of it.
  async function paint(root: any): Promise<void> {
    const state = root.oneListener;
    state.again = true;
    if (state.busy) return;
    state.busy = true;
    try {
      while (state.again) {
        state.again = false;
        await paintOnce(root);
      }
    } finally {
      state.busy = false;
    }
  }

  function begin(root: any, payload: Payload, url: string | null): void {
    const target = document.createElement("div");
    root.oneListener = { target, url, payload, words: root.firstElementChild, number: 0 };
    root.appendChild(target);
    // a cell that was folded, or off the screen, gets its width later
    let width = target.clientWidth;
    new page.ResizeObserver(() => {
      if (!root.oneListener.drawn || !target.clientWidth || target.clientWidth === width) return;
      width = target.clientWidth;
      page.Plotly.Plots.resize(target);
    }).observe(target);
    void paint(root);
  }

  const roots = (id?: string): any[] => Array.from(document.querySelectorAll(id === undefined ? `[${mark}]` : `[${mark}="${id}"]`));

  const repaint = (): void => roots().filter((root) => root.oneListener?.figure).forEach((root) => void paint(root));
  new page.MutationObserver(() => {
    repaint();
    // the theme's colours may arrive after its name
    page.setTimeout(repaint, 300);
  }).observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "data-vscode-theme-kind"] });

  page.oneListener = {
    draw(id, payload, url) {
      let tries = 0;
      const attempt = (): void => {
        const fresh = roots(id).filter((root) => !root.oneListener);
        fresh.forEach((root) => begin(root, payload, url));
        if (fresh.length === 0 && tries++ < 100) page.setTimeout(attempt, 50);
      };
      attempt();
    },
    update(id, number, payload) {
      for (const root of roots(id)) {
        const state = root.oneListener;
        if (!state || number <= state.number) continue;
        state.number = number;
        state.payload = payload;
        void paint(root);
      }
    },
    part(at, of, base64) {
      parts[at] = base64;
      if (parts.filter(Boolean).length === of) partsHere(parts.join(""));
    },
  } satisfies PagePlots;
}

/** The source text of pagePlots, called: what a script element holds before it uses window.oneListener. */
export const pageScript = `(${pagePlots
  .toString()
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => !/^(\/\/|\/?\*)/.test(line))
  .join("\n")})(window,${JSON.stringify(theme)},${JSON.stringify(onDark)});`;

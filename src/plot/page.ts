/**
 * What runs in the reader's browser: finds plotly once a page, draws figures into elements that stay, follows the page's theme.
 * It travels as text in every output, because any output may be the first that a page shows.
 */

/** Path of the plotting library below the Jupyter server's base URL, where the server serves our project (setup/jupyter.mjs). */
export const libraryUrlVariable = "ONE_LISTENER_PLOTLY_URL";

const pageScript = String.raw`
if (!window.oneListener) window.oneListener = (function () {
  var library, pending = {}, chunks = [], arrived, parts = 0;
  function baseUrl() {
    var element = document.getElementById("jupyter-config-data");
    try { return JSON.parse(element.textContent).baseUrl || "/"; } catch (error) { return document.body.dataset.baseUrl || "/"; }
  }
  function run(code) {
    var define = window.define;
    window.define = undefined;
    try { (0, eval)(code); } finally { window.define = define; }
    return window.Plotly;
  }
  function inflate(base64) {
    var bytes = Uint8Array.from(atob(base64), function (c) { return c.charCodeAt(0); });
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }
  function load(url) {
    if (window.Plotly) return Promise.resolve(window.Plotly);
    if (library) return library;
    var embedded = new Promise(function (resolve) { arrived = resolve; }).then(inflate);
    if (parts && chunks.filter(Boolean).length === parts) arrived(chunks.join(""));
    var code = url ? fetch(baseUrl() + url, { credentials: "same-origin" }).then(function (answer) {
      return answer.ok ? answer.text() : embedded;
    }, function () { return embedded; }) : embedded;
    library = code.then(run);
    return library;
  }
  function chunk(at, of, text) {
    parts = of;
    chunks[at] = text;
    if (chunks.filter(Boolean).length === of && arrived) arrived(chunks.join(""));
  }
  function colours(element) {
    var style = getComputedStyle(element), get = function (name, fallback) { return style.getPropertyValue(name).trim() || fallback; };
    var dark = matchMedia("(prefers-color-scheme: dark)").matches && !document.body.dataset.jpThemeLight;
    return { text: get("--jp-content-font-color1", dark ? "#eee" : "#222"), grid: get("--jp-border-color2", dark ? "#555" : "#ddd"), hover: get("--jp-layout-color1", dark ? "#222" : "#fff") };
  }
  function themed(element, layout) {
    var c = colours(element), made = Object.assign({}, layout);
    made.font = Object.assign({}, layout.font, { color: c.text });
    made.hoverlabel = { bgcolor: c.hover, font: { color: c.text, size: 14 } };
    Object.keys(layout).forEach(function (name) {
      if (/^[xy]axis/.test(name)) made[name] = Object.assign({ gridcolor: c.grid, linecolor: c.grid, automargin: true }, layout[name]);
      if (name === "updatemenus" || name === "sliders") made[name] = layout[name].map(function (each) {
        var own = Object.assign({ bgcolor: c.hover, bordercolor: c.grid }, each);
        if (each.currentvalue) own.currentvalue = Object.assign({}, each.currentvalue, { font: Object.assign({ color: c.text }, each.currentvalue.font) });
        return own;
      });
    });
    return made;
  }
  var config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
  function paint(id, figure) {
    var element = document.getElementById(id);
    if (!element || !window.Plotly) return;
    if (!element.oneListenerFigure) element.textContent = "";
    element.oneListenerFigure = figure;
    var drawn = Plotly.react(element, figure.data, themed(element, figure.layout), config);
    if (figure.frames && !element.oneListenerFrames) {
      element.oneListenerFrames = true;
      drawn = drawn.then(function () { return Plotly.addFrames(element, figure.frames); });
    }
    return drawn;
  }
  function draw(id, figure, url) {
    pending[id] = figure;
    load(url).then(function () {
      var tries = 0;
      (function attempt() {
        if (document.getElementById(id)) { var last = pending[id]; delete pending[id]; paint(id, last); }
        else if (tries++ < 100) setTimeout(attempt, 50);
      })();
    });
  }
  function update(id, figure) {
    if (pending[id]) pending[id] = figure; else paint(id, figure);
  }
  new MutationObserver(function () {
    document.querySelectorAll(".one-listener-plot").forEach(function (element) { if (element.oneListenerFigure) paint(element.id, element.oneListenerFigure); });
  }).observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  return { draw: draw, update: update, chunk: chunk };
})();`.replace(/\n\s*/g, "\n");

/** JSON that may stand inside a script element. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, "\\u003c")
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** An element with a text picture inside, and the script that draws the figure over it. */
export function figureHtml(
  id: string,
  figure: { data: unknown; layout: Record<string, unknown>; frames?: unknown },
  text: string,
  libraryUrl: string | undefined,
): string {
  const { data, layout, frames } = figure;
  return `<div id="${id}" class="one-listener-plot" style="width:100%;min-height:${Number(layout.height) || 380}px"><pre>${escapeHtml(text)}</pre></div>
<script>${pageScript}
oneListener.draw("${id}",${scriptJson({ data, layout, frames })},${scriptJson(libraryUrl ?? null)})</script>`;
}

/** New data for a figure that is on the page already. */
export function updateHtml(id: string, figure: { data: unknown; layout: unknown }): string {
  const { data, layout } = figure;
  return `<script>window.oneListener&&oneListener.update("${id}",${scriptJson({ data, layout })})</script>`;
}

/** One part of the library, for servers that do not serve our project. */
export function chunkHtml(at: number, of: number, base64: string): string {
  return `<script>${pageScript}
oneListener.chunk(${at},${of},"${base64}")</script>`;
}

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { plot } from "../../dist/index";
import { chunkHtml, figureHtml, updateHtml } from "../../dist/plot/page";
import { openBrowser } from "../fixtures/browser";
import { skip } from "../fixtures/skip";

const library = readFileSync(require.resolve("plotly.js-cartesian-dist-min"));
const libraryUrl = "files/plotly.js";

/** A page as JupyterLab has it: its configuration, its theme, and outputs whose scripts run before their elements are on the page. */
const emptyPage = `<!doctype html><meta charset="utf-8"><body data-jp-theme-light="true" style="--jp-content-font-color1:#111">
<script id="jupyter-config-data" type="application/json">{"baseUrl":"/lab/"}</script><div id="outputs"></div></body>`;

/** Puts an output onto the page as JupyterLab does: the scripts of the markup are run. */
function show(page: Page, markup: unknown): Promise<void> {
  return page.evaluate((text) => {
    const output = document.createElement("div");
    output.innerHTML = text;
    const scripts = [...output.querySelectorAll("script")].map((script) => script.textContent);
    for (const code of scripts) {
      const script = document.createElement("script");
      script.textContent = code;
      document.head.append(script);
    }
    document.getElementById("outputs")!.append(output);
  }, String(markup));
}

/** What plotly keeps with an element. */
interface Drawn {
  data: { y: number[] }[];
  layout: { font: { color: string } };
}

const drawn = (page: Page, id = "a") =>
  page.evaluate((name) => {
    const { data, layout } = document.getElementById(name) as unknown as Partial<Drawn>;
    return { y: data?.[0]?.y, colour: layout?.font.color };
  }, id);

const whenDrawn = (page: Page, id = "a") =>
  page.waitForSelector(`#${id}.js-plotly-plot`, { state: "attached", timeout: 20_000 });

const figure = (y: number[]) => plot.lines([{ name: "n", x: y.map((_, at) => at), y }], { xTitle: "x", yTitle: "y" });

describe("the page's script, in a browser", () => {
  let browser: Browser | undefined;
  let server: Server;
  let address: string;
  let page: Page;
  let requests: string[] = [];

  before(async () => {
    browser = await openBrowser();
    server = createServer(({ url = "" }, response) => {
      // the browser's own question, whenever it comes
      if (url !== "/favicon.ico") requests.push(url);
      if (url === "/") response.setHeader("content-type", "text/html").end(emptyPage);
      else if (url === `/lab/${libraryUrl}`) response.end(library);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  beforeEach(async function () {
    if (!browser) return skip(this, "no Chromium in the PATH");
    page = await browser.newPage();
    await page.goto(address);
    requests = [];
  });
  afterEach(async () => {
    if (browser) await page.close();
  });
  after(async () => {
    await browser?.close();
    server.close();
  });

  it("draws a figure over its text, and loads the library once for all", async () => {
    for (const id of ["a", "b", "c"]) await show(page, figureHtml(id, figure([1, 2, 3]), "in words", libraryUrl));
    for (const id of ["a", "b", "c"]) await whenDrawn(page, id);
    assert.deepEqual((await drawn(page, "c")).y, [1, 2, 3]);
    assert.equal(await page.locator("pre").count(), 0);
    assert.deepEqual(requests, [`/lab/${libraryUrl}`]);
  });

  it("draws new data into the same element, also before the library is there", async () => {
    await show(page, figureHtml("a", figure([1]), "", libraryUrl));
    await show(page, updateHtml("a", figure([1, 2])));
    await whenDrawn(page);
    assert.deepEqual((await drawn(page)).y, [1, 2]);
    await page.evaluate(() => (document.getElementById("a")!.dataset.mark = "the same"));
    await show(page, updateHtml("a", figure([1, 2, 3])));
    await page.waitForFunction(() => (document.getElementById("a") as any).data[0].y.length === 3);
    assert.equal(await page.evaluate(() => document.getElementById("a")!.dataset.mark), "the same");
    // an element that is gone
    await show(page, updateHtml("gone", figure([1])));
  });

  it("takes the library in parts where the server does not have it", async () => {
    const base64 = gzipSync(library).toString("base64");
    const half = Math.ceil(base64.length / 2);
    await show(page, chunkHtml(1, 2, base64.slice(half)));
    await show(page, figureHtml("a", figure([4]), "in words", "files/elsewhere.js"));
    assert.equal(await page.locator("pre").innerText(), "in words");
    await show(page, chunkHtml(0, 2, base64.slice(0, half)));
    await whenDrawn(page);
    assert.deepEqual((await drawn(page)).y, [4]);
    assert.deepEqual(requests, ["/lab/files/elsewhere.js"]);
  });

  it("is not taken by an AMD loader on the page", async () => {
    await page.evaluate(() => {
      (window as any).define = Object.assign(() => assert.fail(), { amd: {} });
    });
    await show(page, figureHtml("a", figure([1]), "", libraryUrl));
    await whenDrawn(page);
    assert.equal(await page.evaluate(() => typeof (window as any).define), "function");
  });

  it("draws again in the colours of a theme that is chosen later", async () => {
    await show(page, figureHtml("a", figure([1, 2]), "", libraryUrl));
    await whenDrawn(page);
    assert.equal((await drawn(page)).colour, "#111");
    await page.evaluate(() => {
      document.body.style.setProperty("--jp-content-font-color1", "#eee");
      document.body.dataset.jpThemeLight = "false";
    });
    await page.waitForFunction(() => (document.getElementById("a") as any).layout.font.color === "#eee");
  });

  it("plays the frames of a moving picture, and keeps them when new data comes", async () => {
    const moving = { ...figure([1]), frames: [{ name: "0", data: [{ y: [7] }], traces: [0] }] };
    await show(page, figureHtml("a", moving, "", libraryUrl));
    await whenDrawn(page);
    await show(page, updateHtml("a", figure([2])));
    await page.waitForFunction(() => (document.getElementById("a") as any)._transitionData?._frames.length === 1);
  });

  it("writes ticks and hovers with commas between thousands, as the workbook does", async () => {
    await show(page, figureHtml("a", figure([0, 5000, 20_000, 1_234_500]), "", libraryUrl));
    await whenDrawn(page);
    const ticks = await page.locator("#a .ytick text").allTextContents();
    assert.deepEqual(
      ticks.filter((tick) => !/^(0|\d{1,3}(,\d{3})*)$/.test(tick)),
      [],
    );
    assert.ok(ticks.includes("1,000,000"), ticks.join(" "));
    const place = (await page.locator("#a .nsewdrag").boundingBox())!;
    await page.mouse.move(place.x + place.width - 5, place.y + 20);
    await page.waitForSelector("#a .hoverlayer text");
    assert.match((await page.locator("#a .hoverlayer").innerHTML()).replace(/<[^>]*>/g, " "), /1,234,500/);
  });
});

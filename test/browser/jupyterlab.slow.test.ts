import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { html, style } from "../../dist/html";
import { openBrowser } from "../fixtures/browser";
import { inProject, projectDir } from "../fixtures/project";
import { skip } from "../fixtures/skip";
import { TemporaryFolder } from "../fixtures/temporary-folder";
import { sleep, until } from "../fixtures/waiting";

const pictures = inProject(".artifacts", "screenshots");

const sizes = { laptop: { width: 1366, height: 768 }, projector: { width: 1920, height: 1080 } };
/** `shapes`: how often a picture must have changed while cells ran */
const runs: { notebook: string; size: keyof typeof sizes; theme: "light" | "dark"; shapes?: number }[] = [
  { notebook: "02-handshake-by-hand.ipynb", size: "projector", theme: "light", shapes: 3 },
  { notebook: "07-syn-flood-and-cookies.ipynb", size: "projector", theme: "dark" },
  { notebook: "00-start-here.ipynb", size: "laptop", theme: "light" },
  { notebook: "04-backlog-overflow.ipynb", size: "laptop", theme: "dark" },
];

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** The length of the first line of every drawn plot, and how far its time axis reaches. */
function drawn(page: Page): Promise<string> {
  return page.evaluate(() => {
    const plots = [...document.querySelectorAll(".js-plotly-plot")] as unknown as { data?: { x?: number[] }[] }[];
    return plots.map(({ data }) => `${data?.[0]?.x?.length}:${data?.[0]?.x?.at(-1)}`).join(" ");
  });
}

const busyCells = (page: Page) =>
  page.evaluate(
    () => [...document.querySelectorAll(".jp-InputPrompt")].filter((prompt) => prompt.textContent.includes("*")).length,
  );

/** Opens a notebook, once its cells are on the page. */
async function openNotebook(browser: Browser, address: string, size: keyof typeof sizes): Promise<Page> {
  const page = await browser.newPage({ viewport: sizes[size] });
  await page.goto(address);
  await page.waitForSelector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell", { timeout: 90_000 });
  await page.waitForFunction(() => document.body.dataset.jpThemeLight !== undefined);
  return page;
}

async function chooseTheme(page: Page, theme: "light" | "dark"): Promise<void> {
  if ((await page.evaluate(() => document.body.dataset.jpThemeLight)) === String(theme === "light")) return;
  await page.click('.lm-MenuBar-itemLabel:text-is("Settings")');
  await page.hover('.lm-Menu-itemLabel:text-is("Theme")');
  await page.click(`.lm-Menu-itemLabel:text-is("JupyterLab ${theme === "dark" ? "Dark" : "Light"}")`);
  await page.waitForSelector(`body[data-jp-theme-light="${theme === "light"}"]`, { state: "attached" });
}

/** Runs all cells. @returns in how many shapes the pictures were seen while cells ran */
async function runAllCells(page: Page): Promise<number> {
  await page.waitForFunction(() => /Idle/.test(document.body.innerText), undefined, { timeout: 60_000 });
  await page.click('.lm-MenuBar-itemLabel:text-is("Run")');
  await page.click('.lm-Menu-itemLabel:text-is("Run All Cells")');
  const whileBusy = new Set<string>();
  let started = false;
  for (let waited = 0; waited < 120_000; waited += 100) {
    await page.waitForTimeout(100);
    const busy = await busyCells(page);
    started ||= busy > 0;
    if (started && busy === 0) break;
    const picture = await drawn(page);
    if (busy > 0 && picture) whileBusy.add(picture);
  }
  assert.equal(await busyCells(page), 0, "the notebook is still running");
  return whileBusy.size;
}

/** What stands in red: what cells have written to stderr, and their errors. */
const redOutputs = (page: Page) =>
  page.evaluate(() =>
    [
      ...document.querySelectorAll(
        '[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type="application/vnd.jupyter.error"]',
      ),
    ].map(({ textContent }) => textContent),
  );

/** Ends the kernels: the next run opens its own. */
const endSessions = (page: Page) =>
  page.evaluate(async () => {
    const sessions = (await (await fetch("/api/sessions")).json()) as { id: string }[];
    const headers = { "X-XSRFToken": /_xsrf=([^;]+)/.exec(document.cookie)?.[1] ?? "" };
    await Promise.all(sessions.map(({ id }) => fetch(`/api/sessions/${id}`, { method: "DELETE", headers })));
  });

/** A notebook as somebody else has saved it: JupyterLab does not trust it. */
function strangersNotebook(output: string): string {
  return JSON.stringify({
    cells: [
      {
        cell_type: "code",
        execution_count: 1,
        id: "stranger",
        metadata: {},
        source: "",
        outputs: [{ output_type: "display_data", data: { "text/html": output, "text/plain": "" }, metadata: {} }],
      },
    ],
    metadata: { kernelspec: { name: "tslab", display_name: "TypeScript", language: "typescript" } },
    nbformat: 4,
    nbformat_minor: 5,
  });
}

describe("the workbook in JupyterLab, in a browser", function () {
  this.timeout(240_000);
  const folder = new TemporaryFolder("browser");
  let server: ChildProcess | undefined;
  let browser: Browser | undefined;
  let addressOf: (notebook: string) => string;

  before(async function () {
    browser = await openBrowser();
    if (!browser) return;
    mkdirSync(pictures, { recursive: true });
    const port = await freePort();
    const started = spawn(process.execPath, [inProject("setup", "start.mjs"), "--no-browser", "--port", String(port)], {
      cwd: projectDir,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: {
        ...process.env,
        ONE_LISTENER_PROGRESS: path.join(folder.place, "progress"),
        JUPYTERLAB_SETTINGS_DIR: path.join(folder.place, "settings"),
      },
    });
    server = started;
    let log = "";
    for (const stream of [started.stdout, started.stderr]) stream.on("data", (part) => (log += String(part)));
    const token = await until(
      () => {
        if (started.exitCode !== null) throw new Error(`npm start ended: ${log}`);
        return /[?&]token=(\w+)/.exec(log)?.[1];
      },
      () => `npm start printed no address: ${log}`,
      120_000,
    );
    addressOf = (notebook) => `http://127.0.0.1:${port}/lab/tree/notebooks/${notebook}?token=${token}&reset`;
  });

  after(async () => {
    await browser?.close();
    if (server?.exitCode === null) {
      const ended = new Promise((resolve) => server?.once("exit", resolve));
      process.kill(-server.pid!, "SIGTERM");
      await ended;
    }
    folder.remove();
  });

  for (const { notebook, size, theme, shapes = 10 } of runs) {
    it(`runs ${notebook}, ${size} size, ${theme}: plots move while cells run, nothing is red`, async function () {
      if (!browser) skip(this, "no Chromium in the PATH");
      const page = await openNotebook(browser, addressOf(notebook), size);
      try {
        await chooseTheme(page, theme);
        const seen = await runAllCells(page);
        assert.ok(seen >= shapes, `the live plot was seen in ${seen} shapes while cells ran`);
        await sleep(1000); // time in which an error of the page would come
        assert.deepEqual(await redOutputs(page), []);
        const plots = page.locator(".js-plotly-plot");
        const count = await plots.count();
        assert.ok(count >= 2, `${count} plots`);
        const libraries = await page.evaluate(
          () => performance.getEntriesByType("resource").filter(({ name }) => name.includes("plotly")).length,
        );
        assert.equal(libraries, 1, "the plotting library is loaded once a page");
        for (let at = 0; at < count; at++) {
          await plots.nth(at).scrollIntoViewIfNeeded();
          await page.waitForTimeout(250);
          await page.screenshot({ path: path.join(pictures, `${notebook.slice(0, 2)}-${size}-${theme}-${at}.png`) });
        }
      } finally {
        await endSessions(page).catch(() => undefined);
        await page.close();
      }
    });
  }

  it("keeps the looks of cards and tables in a notebook that is not trusted, and runs no script of it", async function () {
    if (!browser) skip(this, "no Chromium in the PATH");
    const name = "not-trusted.ipynb";
    const edge = { "border-left-color": "rgb(0, 114, 178)" };
    const output = html`<div title="card" ${style("card", edge)}>a card</div>
      <table title="table"><tbody><tr><td title="number" ${style("numberCell")}>1</td></tr></tbody></table>`;
    const script = "<script>document.body.dataset.ran = 'yes'</script><style>[title=card] { color: red }</style>";
    writeFileSync(inProject("notebooks", name), strangersNotebook(`${output.toString()}${script}`));
    try {
      const page = await openNotebook(browser, addressOf(name), "laptop");
      await page.waitForSelector('[title="card"]');
      const looks = await page.evaluate(() => {
        const of = (title: string) => getComputedStyle(document.querySelector(`.jp-OutputArea [title="${title}"]`)!);
        const { borderLeftColor, borderLeftWidth, backgroundColor, lineHeight, fontSize } = of("card");
        return {
          edge: `${borderLeftWidth} ${borderLeftColor}`,
          ground: backgroundColor,
          lines: (parseFloat(lineHeight) / parseFloat(fontSize)).toFixed(1),
          number: of("number").textAlign,
          ran: document.body.dataset.ran,
        };
      });
      assert.deepEqual(looks, {
        edge: "6px rgb(0, 114, 178)",
        ground: "rgba(128, 128, 128, 0.12)",
        lines: "1.5",
        number: "right",
        ran: undefined,
      });
      await endSessions(page).catch(() => undefined);
      await page.close();
    } finally {
      rmSync(inProject("notebooks", name), { force: true });
    }
  });
});

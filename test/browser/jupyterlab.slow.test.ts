import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { skip } from "../skip";

const root = path.resolve(__dirname, "../../..");
const pictures = path.join(root, ".artifacts", "screenshots");
const browserFile = (process.env.PATH ?? "")
  .split(path.delimiter)
  .flatMap((directory) => ["chromium", "chromium-browser", "google-chrome"].map((name) => path.join(directory, name)))
  .find(existsSync);

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
    return plots.map(({ data }) => `${data?.[0]?.x?.length}:${data?.[0]?.x?.slice(-1)}`).join(" ");
  });
}

const busyCells = (page: Page) =>
  page.evaluate(
    () =>
      [...document.querySelectorAll(".jp-InputPrompt")].filter((prompt) => prompt.textContent?.includes("*")).length,
  );

describe("the workbook in JupyterLab, in a browser", function () {
  this.timeout(240_000);
  const folder = mkdtempSync(path.join(os.tmpdir(), "one-listener-browser-"));
  let server: ChildProcess;
  let browser: Browser;
  let address: string;
  let missing = "";

  before(async function () {
    if (!browserFile) {
      missing = "no Chromium in the PATH";
      return;
    }
    mkdirSync(pictures, { recursive: true });
    const port = await freePort();
    server = spawn(process.execPath, [path.join(root, "setup", "start.mjs"), "--no-browser", "--port", String(port)], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: {
        ...process.env,
        ONE_LISTENER_PROGRESS: path.join(folder, "progress"),
        JUPYTERLAB_SETTINGS_DIR: path.join(folder, "settings"),
      },
    });
    let log = "";
    for (const stream of [server.stdout!, server.stderr!]) stream.on("data", (part) => (log += String(part)));
    let token: string | undefined;
    for (let waited = 0; !token && waited < 120_000; waited += 100) {
      if (server.exitCode !== null) throw new Error(`npm start ended: ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
      token = /[?&]token=(\w+)/.exec(log)?.[1];
    }
    assert.ok(token, `npm start printed no address: ${log}`);
    address = `http://127.0.0.1:${port}/lab/tree/notebooks/NOTEBOOK?token=${token}&reset`;
    browser = await chromium.launch({
      executablePath: browserFile,
      args: [
        ...(process.geteuid!() === 0 ? ["--no-sandbox"] : []),
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
  });

  after(async () => {
    await browser?.close();
    if (server?.exitCode === null) {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      process.kill(-server.pid!, "SIGTERM");
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  for (const { notebook, size, theme, shapes = 10 } of runs) {
    it(`runs ${notebook}, ${size} size, ${theme}: plots move while cells run, nothing is red`, async function () {
      if (missing) skip(this, missing);
      const page = await browser.newPage({ viewport: sizes[size] });
      try {
        await page.goto(address.replace("NOTEBOOK", notebook));
        await page.waitForSelector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell", { timeout: 90_000 });
        await page.waitForFunction(() => document.body.dataset.jpThemeLight !== undefined);
        if ((await page.evaluate(() => document.body.dataset.jpThemeLight)) !== String(theme === "light")) {
          await page.click('.lm-MenuBar-itemLabel:text-is("Settings")');
          await page.hover('.lm-Menu-itemLabel:text-is("Theme")');
          await page.click(`.lm-Menu-itemLabel:text-is("JupyterLab ${theme === "dark" ? "Dark" : "Light"}")`);
          await page.waitForSelector(`body[data-jp-theme-light="${theme === "light"}"]`, { state: "attached" });
        }
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
        assert.ok(whileBusy.size >= shapes, `the live plot was seen in ${whileBusy.size} shapes while cells ran`);
        await page.waitForTimeout(1000);
        const red = await page.evaluate(() =>
          [
            ...document.querySelectorAll(
              '[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type="application/vnd.jupyter.error"]',
            ),
          ].map(({ textContent }) => textContent),
        );
        assert.deepEqual(red, []);
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
        // the next run opens its own
        await page
          .evaluate(() =>
            fetch("/api/sessions")
              .then((answer) => answer.json() as Promise<{ id: string }[]>)
              .then((all) =>
                Promise.all(
                  all.map(({ id }) =>
                    fetch(`/api/sessions/${id}`, {
                      method: "DELETE",
                      headers: { "X-XSRFToken": /_xsrf=([^;]+)/.exec(document.cookie)?.[1] ?? "" },
                    }),
                  ),
                ),
              ),
          )
          .catch(() => undefined);
        await page.close();
      }
    });
  }
});

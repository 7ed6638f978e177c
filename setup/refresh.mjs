// npm run notebooks -- --refresh: what a run has shown becomes the committed notebook, with still pictures instead of programs.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { at, Missing, say } from "./project.mjs";

const largest = 500_000;
const plotlyType = "application/vnd.plotly.v1+json";

function findBrowser() {
  const places = (process.env.PATH ?? "")
    .split(path.delimiter)
    .flatMap((directory) =>
      ["chromium", "chromium-browser", "google-chrome"].map((name) => path.join(directory, name)),
    );
  const found = places.find((file) => existsSync(file));
  if (!found)
    throw new Missing("A Chromium browser is needed for the still pictures.", "sudo apt-get install chromium");
  return found;
}

/** The same picture in half the characters: tenths of a pixel, and a step line's steps of no height left out. */
function shorter(line) {
  const rounded = line.replace(/\d+\.\d+/g, (number) => String(Math.round(Number(number) * 10) / 10));
  let height = "";
  return rounded
    .replace(/([A-Z])([^A-Z]*)/g, (command, letter, numbers) => {
      if (letter === "V" && numbers === height) return "";
      if (letter === "V") height = numbers;
      else if (letter !== "H") height = "";
      return command;
    })
    .replace(/(?:H[\d.]+)+(H[\d.]+)/g, "$1");
}

/** Draws figures as SVG, a third of a PNG's size, with the same library that notebooks use. */
async function withPainter(use) {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({
    executablePath: findBrowser(),
    args: [
      ...(process.geteuid() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ path: at("node_modules", "plotly.js-cartesian-dist-min", "plotly-cartesian.min.js") });
    return await use(async ({ data, layout }) => {
      const url = await page.evaluate(
        ([given, look]) =>
          // in the page
          globalThis.Plotly.toImage(
            { data: given, layout: { ...look, paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff" } },
            { format: "svg", width: 900, height: look.height ?? 420 },
          ),
        [data, layout],
      );
      return decodeURIComponent(url.slice(url.indexOf(",") + 1)).replace(
        / d="([^"]*)"/g,
        (_, line) => ` d="${shorter(line)}"`,
      );
    });
  } finally {
    await browser.close();
  }
}

/** Invisible displays carry live data; in a saved notebook they are empty. */
function isEmpty(output) {
  return (
    output.output_type === "display_data" &&
    !["text/html", "text/plain"].some((type) => String([output.data[type] ?? ""].flat().join("")).trim() !== "") &&
    Object.keys(output.data).every((type) => type.startsWith("text/"))
  );
}

/** A notebook as Jupyter writes it, but each figure on one line: its arrays would take a line a number. */
export function asText(notebook) {
  const figures = [];
  const token = (key, value) => (key === plotlyType ? `@figure ${figures.push(value) - 1}@` : value);
  return `${JSON.stringify(notebook, token, 1).replace(/"@figure (\d+)@"/g, (_, number) => JSON.stringify(figures[number]))}\n`;
}

export async function refresh(names) {
  await withPainter(async (paint) => {
    for (const name of names) {
      const notebook = JSON.parse(readFileSync(at(".artifacts", "notebooks", name), "utf8"));
      for (const cell of notebook.cells) {
        if (cell.cell_type !== "code") continue;
        cell.metadata = cell.metadata.one_listener ? cell.metadata : {};
        delete cell.metadata.execution;
        cell.outputs = cell.outputs.filter((output) => !isEmpty(output));
        for (const output of cell.outputs) {
          const figure = output.data?.[plotlyType];
          if (!figure) continue;
          const image = await paint(figure);
          output.data = { "image/svg+xml": image, [plotlyType]: figure, "text/plain": output.data["text/plain"] };
        }
      }
      notebook.metadata.one_listener = {
        executed_on: `${os.type()} ${os.release()}`,
        node: process.version,
        processors: os.cpus().length,
      };
      const text = asText(notebook);
      if (text.length > largest)
        throw new Error(`${name} would be ${text.length} bytes; a committed notebook stays under ${largest}.`);
      writeFileSync(at("notebooks", name), text);
      say(`${name}: ${Math.round(text.length / 1024)} KB`);
    }
  });
}

// A notebook's cells as TypeScript: read from the file, and written back without touching anything else in it.
import { readdirSync, readFileSync } from "node:fs";
import { Missing, at } from "../project.mjs";

/**
 * The notebooks with their code cells, and the last cell of any kind. `exercise`: the cell is a starter,
 * exercises/NAME/starter.ts.
 */
export function readNotebooks() {
  const names = readdirSync(at("notebooks")).filter((name) => name.endsWith(".ipynb"));
  return names.sort().map((name) => {
    const text = readFileSync(at("notebooks", name), "utf8");
    const all = JSON.parse(text).cells.map((cell, index) => ({
      index,
      code: cell.cell_type === "code",
      source: [cell.source].flat().join(""),
      exercise: cell.metadata.one_listener?.exercise,
    }));
    return { name, file: at("notebooks", name), text, cells: all.filter(({ code }) => code), last: all.at(-1) };
  });
}

const asLines = (source) => source.split(/(?<=\n)/);

/** A cell's source as Jupyter writes it into a file: one string a line, four blanks before each. */
function written(lines) {
  if (lines.length === 0) return '   "source": []';
  return `   "source": [\n${lines.map((line) => `    ${JSON.stringify(line)}`).join(",\n")}\n   ]`;
}

/**
 * The file's text with other sources in some cells; every other byte stays.
 * @param sources the new source by the cell's index
 */
export function withSources({ name, text }, sources) {
  let result = "";
  let from = 0;
  JSON.parse(text).cells.forEach((cell, index) => {
    const before = written([cell.source].flat());
    const start = text.indexOf(`\n${before}`, from);
    if (start < 0) {
      throw new Missing(
        `notebooks/${name}, cell ${index}: this is not the way in which Jupyter saves a notebook.`,
        "Save it once in JupyterLab.",
      );
    }
    result += text.slice(from, start + 1);
    result += sources.has(index) ? written(asLines(sources.get(index))) : before;
    from = start + 1 + before.length;
  });
  return result + text.slice(from);
}

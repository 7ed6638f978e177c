import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { inProject } from "../fixtures/project";

interface Notebook {
  name: string;
  last?: { index: number; code: boolean; source: string };
}
interface Tour {
  tourFindings(notebooks: Notebook[], readme: string): string[];
}

const closing = (next?: string) => ({
  index: 7,
  code: false,
  source: `**Change this and run again:** set it to 5.\n\n${next === undefined ? "The last one." : `Next: [it](${next}).`}`,
});
const one: Notebook = { name: "01-one.ipynb", last: closing("02-two.ipynb") };
const two: Notebook = { name: "02-two.ipynb", last: closing() };
const readmeOf = (...names: string[]) =>
  `# T\n\n## The tour\n\n| a | b |\n| --- | --- |\n${names.map((name) => `| [x](notebooks/${name}) | y |\n`).join("")}\n## More\n\n| [x](z) |\n`;

describe("npm run check on the way from notebook to notebook", () => {
  let tour: Tour;
  const found = (notebooks: Notebook[], readme: string) => tour.tourFindings(notebooks, readme);

  before(async () => {
    tour = (await import(pathToFileURL(inProject("setup", "check", "tour.mjs")).href)) as Tour;
  });

  it("finds nothing where each notebook has its closing cell and its line in README", () => {
    assert.deepEqual(found([one, two], readmeOf("01-one.ipynb", "02-two.ipynb")), []);
  });

  it("finds a notebook without a closing cell, or whose closing cell leads elsewhere", () => {
    const readme = readmeOf("01-one.ipynb", "02-two.ipynb");
    for (const last of [undefined, { ...closing("02-two.ipynb"), code: true }, { ...closing(), source: "The end." }])
      assert.match(
        found([{ ...one, last }, two], readme).join(),
        /^notebooks\/01-one\.ipynb cell \d: the last cell is/,
      );
    for (const last of [closing(), closing("03-three.ipynb")])
      assert.deepEqual(found([{ ...one, last }, two], readme), [
        'notebooks/01-one.ipynb cell 7: the last cell has no line "Next: …" with a link to 02-two.ipynb',
      ]);
    assert.match(
      found([{ ...two, last: closing("x") }], readmeOf("02-two.ipynb")).join(),
      /the last notebook has a line/,
    );
  });

  it("finds a notebook that the tour leaves out, and a tour in another order", () => {
    assert.deepEqual(found([one, two], readmeOf("01-one.ipynb")), [
      "notebooks/02-two.ipynb: the tour in README.md has no line for it",
    ]);
    assert.match(found([one, two], readmeOf("02-two.ipynb", "01-one.ipynb")).join(), /not in the order/);
  });
});

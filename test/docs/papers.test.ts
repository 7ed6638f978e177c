import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { inProject, projectDir } from "../fixtures/project";

const textOf = (file: string) => readFileSync(inProject(file), "utf8");
const papers = [...readdirSync(projectDir), ...readdirSync(inProject("docs")).map((file) => `docs/${file}`)].filter(
  (file) => file.endsWith(".md"),
);

/** An anchor as GitHub and GitLab make it from a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, "")
    .trim()
    .replace(/\s/g, "-");
const anchorsOf = (text: string) => [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading));

/** Files of src/ by room: a folder, or a file that stands alone. */
function rooms(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const entry of readdirSync(inProject("src"), { recursive: true, encoding: "utf8" })) {
    if (!entry.endsWith(".ts")) continue;
    const [room] = entry.split(path.sep);
    found.set(room, [...(found.get(room) ?? []), entry]);
  }
  return found;
}

/** The floor plan's rooms, from the top to the bottom. */
function floorPlan(): string[] {
  const [table] = /\| room +\|[^]*?\n\n/.exec(textOf("docs/architecture.md")) ?? [""];
  return [...table.matchAll(/^\| `([\w.-]+)`/gm)].map(([, room]) => room);
}

describe("the papers", () => {
  it("link to files and headings that exist", () => {
    let links = 0;
    for (const paper of papers) {
      for (const [, target] of textOf(paper).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        links++;
        const { pathname, hash } = new URL(target, `file:///${paper}`);
        const place = pathname.slice(1);
        assert.ok(existsSync(inProject(place)), `${paper}: there is no ${target}`);
        if (hash === "") continue;
        assert.ok(anchorsOf(textOf(place)).includes(hash.slice(1)), `${paper}: ${place} has no heading ${hash}`);
      }
    }
    assert.ok(links > 20);
  });

  it("name npm scripts, files and folders that exist", () => {
    const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
    for (const paper of papers) {
      const text = textOf(paper);
      for (const [, script] of text.matchAll(/\bnpm run (?:--\w+ )?([\w:]+)/g))
        assert.ok(script in scripts, `${paper}: npm run ${script}`);
      for (const [, place] of text.matchAll(
        /`((?:src|test|setup|native|docs|exercises|notebooks|bench|\.ci)\/[\w./-]*)`/g,
      )) {
        // a name in capitals stands for any
        if (!/[A-Z]{2}/.test(place)) assert.ok(existsSync(inProject(place)), `${paper}: there is no ${place}`);
      }
    }
  });

  it("have every room of src/ on the floor plan, and every folder in README's", () => {
    assert.deepEqual([...rooms().keys()].sort(), floorPlan().sort());
    const folders = readdirSync(inProject("src")).filter((name) => statSync(inProject("src", name)).isDirectory());
    for (const folder of [
      ...folders.map((name) => `src/${name}/`),
      "notebooks/",
      "exercises/",
      "setup/",
      "docs/",
      "test/",
      "bench/",
    ]) {
      assert.ok(textOf("README.md").includes(folder), `README does not name ${folder}`);
    }
  });

  it("say truly that imports go down the floor plan, never up", () => {
    const plan = floorPlan();
    const all = rooms();
    const wrong: string[] = [];
    for (const [room, files] of all) {
      for (const file of files) {
        const { importedFiles } = ts.preProcessFile(textOf(path.join("src", file)));
        for (const { fileName } of importedFiles.filter(({ fileName: name }) => name.startsWith("."))) {
          const target = path.join(path.dirname(file), fileName);
          const [first] = target.split(path.sep);
          const to = all.has(first) ? first : `${first}.ts`;
          if (to !== room && plan.indexOf(to) <= plan.indexOf(room)) wrong.push(`src/${file} imports ${fileName}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  it("README's example runs, and says what it says", async () => {
    const example = /```ts\n([^]*?)```/.exec(textOf("README.md"))?.[1] ?? "";
    const program = `import { createRequire } from "node:module"; const require = createRequire(${JSON.stringify(inProject("notebooks", "example.mjs"))});\n${example.replace(/^import (\{.*\}) from (".*");/m, "const $1 = require($2);")}`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: projectDir,
      timeout: 30_000,
    });
    const [established, queued, peer] = stdout.split("\n");
    assert.equal(established, "ESTABLISHED on the client side: 20");
    assert.equal(queued, "in the accept queue: 6");
    assert.match(peer, /^S\. .* 1$/);
  });
});

import assert from "node:assert/strict";
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Clone, readText, written } from "./clone";

describe("building", function () {
  this.timeout(180_000);
  let clone: Clone;
  before(() => (clone = new Clone()));
  after(() => clone.remove());

  const products = () =>
    written(clone.path("dist"), clone.path("native", "build"), clone.path("node_modules", "one-listener"));

  it("makes the library, and its package by the name that notebooks import", async () => {
    const { code, stderr, stdout } = await clone.run("build.mjs");
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "");
    assert.ok(existsSync(clone.path("dist", "index.js")));
    assert.match(readText(clone.path("node_modules", "one-listener", "index.d.ts")), /declare module "one-listener"/);
    assert.ok(!existsSync(clone.path(".setup-lock")));
  });

  it("does nothing the second time", async () => {
    const before = products();
    assert.ok(before.size > 50);
    const { code } = await clone.run("build.mjs");
    assert.equal(code, 0);
    assert.deepEqual(products(), before);
  });

  it("compiles what has changed, and takes away what has lost its source", async () => {
    const file = clone.path("src", "passing.ts");
    writeFileSync(file, "export const passing = 1;\n");
    assert.equal((await clone.run("build.mjs")).code, 0);
    assert.match(readText(clone.path("dist", "passing.js")), /passing = 1/);
    assert.match(readText(clone.path("node_modules", "one-listener", "index.d.ts")), /one-listener\/passing/);
    renameSync(file, clone.path("src", "passed.ts"));
    assert.equal((await clone.run("build.mjs")).code, 0);
    assert.ok(!existsSync(clone.path("dist", "passing.js")) && !existsSync(clone.path("dist", "passing.d.ts")));
    assert.ok(existsSync(clone.path("dist", "passed.js")));
    rmSync(clone.path("src", "passed.ts"));
  });

  it("shows the compiler's message for a source that does not compile, and works again when it is mended", async () => {
    const file = clone.path("src", "wrong.ts");
    writeFileSync(file, "export const wrong: number = 'text';\n");
    const { code, stderr } = await clone.run("build.mjs");
    assert.equal(code, 1);
    assert.match(stderr, /src\/wrong\.ts[^]*TS2322/);
    rmSync(file);
    assert.equal((await clone.run("build.mjs")).code, 0);
  });

  it("shows the C++ compiler's message for a source that does not compile, and works again when it is mended", async function () {
    this.timeout(300_000);
    const file = clone.path("native", "host", "main.cc");
    const text = readText(file);
    writeFileSync(file, `${text}\nthis is no C++;\n`);
    const broken = await clone.run("build.mjs");
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /main\.cc:\d+:\d+: error/);
    writeFileSync(file, text);
    assert.equal((await clone.run("build.mjs")).code, 0);
  });

  it("may be asked for by several commands at once", async () => {
    writeFileSync(clone.path("src", "together.ts"), "export const together = 1;\n");
    const all = await Promise.all([1, 2, 3, 4].map(() => clone.run("build.mjs")));
    assert.deepEqual(
      all.map(({ code }) => code),
      [0, 0, 0, 0],
      all.map(({ stderr }) => stderr).join("\n"),
    );
    assert.ok(existsSync(clone.path("dist", "together.js")));
  });

  it("takes over the lock of a command that was killed", async () => {
    // no process has this number: it is above the largest that Linux gives
    writeFileSync(clone.path(".setup-lock"), String(2 ** 22 + 1));
    const { code } = await clone.run("build.mjs");
    assert.equal(code, 0);
    assert.ok(!readdirSync(clone.folder).some((name) => name.startsWith(".setup-lock")));
  });

  it("gives npx one-listener its command", async () => {
    const { code, stdout } = await clone.run("one-listener.mjs", ["--version"]);
    assert.equal(code, 0);
    assert.equal(stdout.trim(), (JSON.parse(readText(clone.path("package.json"))) as { version: string }).version);
  });
});

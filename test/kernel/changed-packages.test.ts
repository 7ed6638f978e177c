import assert from "node:assert/strict";
import { statSync, utimesSync } from "node:fs";
import { inProject } from "../fixtures/project";
import { type DrivenKernel, kernelOfSuite } from "./driven-kernel";

describe("packages that change while a kernel runs", () => {
  const files = ["package.json", "index.d.ts"].map((name) => inProject("node_modules", "one-listener", name));
  // the build compares these times: they must not change for it
  const times = files.map((file) => statSync(file, { throwIfNoEntry: false })?.mtime);
  let kernel: DrivenKernel;
  kernelOfSuite((started) => void (kernel = started));
  after(() => files.forEach((file, at) => utimesSync(file, new Date(), times[at] ?? new Date())));

  it("runs cells after the library was built again", async () => {
    // an import that fails makes the compiler watch the folders in which the package may appear
    const { status } = await kernel.run('import { Lab } from "one-listener"; import "not-installed";');
    assert.equal(status, "error");
    for (const file of files) utimesSync(file, new Date(), new Date());
    // What the compiler has heard cannot be seen from outside. inotify needs a few ms, TypeScript's own delays are 250 ms.
    await kernel.run("await new Promise((resolve) => setTimeout(resolve, 600))");
    assert.equal(await kernel.print('import { Lab } from "one-listener"; typeof Lab.open'), "function");
    assert.equal(await kernel.print("const port: number = 8080; port"), "8080");
  });
});

/** `npm run build`: packages, addon, TypeScript; each only where something has changed. */
import fs from "node:fs";
import path from "node:path";
import { addonIsCurrent, buildAddon } from "./addon.mjs";
import { installDependencies } from "./dependencies.mjs";
import { ensureJupyter, findJupyter } from "./jupyter.mjs";
import { withLock } from "./lock.mjs";
import { requirePlatform, requirePrograms } from "./prerequisites.mjs";
import { command, inProject, isMain, say } from "./project.mjs";
import { run } from "./run.mjs";

/**
 * Makes the clone ready.
 * @param options tests: compile test/ and bench/ too; jupyter: have a JupyterLab and our kernel in it
 * @returns the JupyterLab, if it was asked for
 */
export async function build({ tests = false, jupyter = false } = {}) {
  requirePlatform();
  let lab = jupyter ? findJupyter() : undefined;
  const needs = [];
  if (!addonIsCurrent()) needs.push("compiler", "make", "python");
  if (jupyter && !lab) needs.push("python", "venv");
  requirePrograms(needs);
  return withLock(async () => {
    await installDependencies();
    await buildAddon();
    await compile(".", "dist", "src");
    if (tests) {
      linkDist();
      await compile("test", path.join(".build", "test"), "test");
      removeOrphans(inProject(".build", "bench"), inProject("bench"));
    }
    if (jupyter) lab = await ensureJupyter(lab);
    return lab;
  });
}

async function compile(project, compiledFolder, sourceFolder) {
  removeOrphans(inProject(compiledFolder), inProject(sourceFolder));
  // not npx tsc: that is the old compiler which tslab brings along
  const tsc = inProject("node_modules", "typescript", "bin", "tsc");
  await run(process.execPath, [tsc, "-b", project], { failure: "The TypeScript sources do not compile." });
}

/** Compiled files whose source is gone: a test that was renamed must not run under its old name as well. */
function removeOrphans(compiledFolder, sourceFolder) {
  if (!fs.existsSync(compiledFolder)) return;
  for (const entry of fs.readdirSync(compiledFolder, { withFileTypes: true })) {
    const compiled = path.join(compiledFolder, entry.name);
    const source = path.join(sourceFolder, entry.name);
    if (entry.isDirectory()) {
      removeOrphans(compiled, source);
      if (fs.readdirSync(compiled).length === 0) fs.rmdirSync(compiled);
    } else if (/\.(js|d\.ts|js\.map)$/.test(entry.name) && !fs.existsSync(source.replace(/\.(js|d\.ts|js\.map)$/, ".ts"))) {
      fs.rmSync(compiled);
    }
  }
}

/** Tests import "../../dist/…", seen from .build/test/… as from test/…. */
function linkDist() {
  const link = inProject(".build", "dist");
  if (!fs.lstatSync(link, { throwIfNoEntry: false })) fs.symlinkSync(path.join("..", "dist"), link);
}

if (isMain(import.meta.url)) {
  await command(async () => {
    await build();
    say("One Listener is built.");
  });
}

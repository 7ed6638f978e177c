import fs from "node:fs";
import { inProject, root, step } from "./project.mjs";
import { run } from "./run.mjs";

/** The npm packages of package-lock.json, and the names by which this project finds itself. */

export async function installDependencies() {
  if (!packagesMatch()) {
    await step("Installing the npm packages (npm ci)", () =>
      npm(["ci", "--include=dev", "--no-audit", "--no-fund"], {
        failure: "The npm packages could not be installed.",
        hint: "Without a network this works only where npm has them in its cache already.",
      }),
    );
  }
  linkItself();
}

/** Whether node_modules holds what package-lock.json asks for. Contents, not dates: a clone gives files any date. */
export function packagesMatch() {
  const wanted = readLock(inProject("package-lock.json"));
  const present = readLock(inProject("node_modules", ".package-lock.json"));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([where, { version, optional, link }]) => {
    if (where === "" || link) return true;
    // packages for other processors and systems are not installed
    if (optional && !present[where]) return true;
    return present[where]?.version === version && fs.existsSync(inProject(where));
  });
}

function readLock(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** `import "one-listener"` in a notebook: tslab does not resolve a package by its own `exports`, but by node_modules. */
function linkItself() {
  const link = inProject("node_modules", "one-listener");
  if (fs.existsSync(link) && fs.realpathSync(link) === fs.realpathSync(root)) return;
  fs.rmSync(link, { force: true, recursive: true });
  fs.symlinkSync("..", link);
}

function npm(args, options) {
  // the npm that runs us, else the one on PATH
  const cli = process.env.npm_execpath;
  return cli && /npm-cli\.c?js$/.test(cli) ? run(process.execPath, [cli, ...args], options) : run("npm", args, options);
}

// Builds what is older than its sources: the addon, the lab host and the TypeScript.
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { installDependencies } from "./dependencies.mjs";
import { findPython, requireCompiler, requireLinux, requireNode } from "./prerequisites.mjs";
import { at, command, run, say, withLock } from "./project.mjs";
import { publishLibrary } from "./publish.mjs";

/** A hash of all files below a folder, without build output. */
function digest(folder, extra = "") {
  const hash = createHash("sha256").update(extra);
  const walk = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = path.join(directory, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== "build") walk(file);
      } else {
        hash.update(path.relative(folder, file)).update(readFileSync(file));
      }
    }
  };
  walk(folder);
  return hash.digest("hex");
}

function buildNative() {
  const stamp = at("native", "build", ".built-from");
  const now = digest(at("native"), process.version + process.arch);
  const built = ["one_listener.node", "lab-host", "kernel-boot", "kernel-init"].every((name) =>
    existsSync(at("native", "build", "Release", name)),
  );
  if (built && existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  requireCompiler();
  say("building the native addon and the lab host (about a minute)");
  const python = findPython();
  // Node's headers often lie beside its binary. If not, node-gyp downloads them into the project, not into the home folder.
  const prefix = path.resolve(path.dirname(process.execPath), "..");
  const headers = existsSync(path.join(prefix, "include", "node", "node_api.h"))
    ? [`--nodedir=${prefix}`]
    : [`--devdir=${at(".build", "node-headers")}`];
  const nodeGyp = at("node_modules", "node-gyp", "bin", "node-gyp.js");
  run(
    process.execPath,
    [
      nodeGyp,
      existsSync(at("native", "build", "Makefile")) ? "build" : "rebuild",
      "-C",
      "native",
      `--python=${python}`,
      ...headers,
    ],
    { env: { ...process.env, JOBS: "max" } },
  );
  writeFileSync(stamp, now);
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

// Not npx tsc: tslab installs an older compiler with that name.
const compiler = () => at("node_modules", "typescript", "bin", "tsc");

function buildTypeScript(tests) {
  removeOrphans(at("dist"), at("src"));
  for (const folder of ["test", "bench"]) removeOrphans(at(".build", folder), at(folder));
  removeOrphans(at(".build", "exercises"), at("exercises"));
  run(process.execPath, [compiler(), "-b", "exercises", "src/page", ...(tests ? ["test"] : [])]);
  copyPrograms(at("src"), at("dist"));
  copyPrograms(at("exercises"), at(".build", "exercises"));
  bundlePage();
  if (modified(at("node_modules", "one-listener", "package.json")) < modified(at("dist", ".tsbuildinfo")))
    publishLibrary();
  if (!tests) return;
  // compiled tests are in .build/test and import ../../dist
  mkdirSync(at(".build"), { recursive: true });
  if (!existsSync(at(".build", "dist"))) symlinkSync("../dist", at(".build", "dist"));
}

/** Programs that the library and checks start (folders of that name below src and exercises) are files that nothing compiles. */
function copyPrograms(sources, compiled) {
  for (const entry of readdirSync(sources, { withFileTypes: true }).filter((each) => each.isDirectory())) {
    const [from, to] = [path.join(sources, entry.name), path.join(compiled, entry.name)];
    if (entry.name !== "programs") copyPrograms(from, to);
    else if (digest(from) !== (existsSync(to) ? digest(to) : "")) {
      rmSync(to, { recursive: true, force: true });
      cpSync(from, to, { recursive: true });
    }
  }
}

/** The script of the reader's browser, one file that stands in outputs: small, and safe inside a script element. */
function bundlePage() {
  const bundle = at("dist", "page", "main.js");
  const sources = readdirSync(at("src", "page")).map((name) => at("src", "page", name));
  const inputs = [...sources, at("src", "plot", "page-contract.ts"), at("package-lock.json")];
  if (Math.max(...inputs.map(modified)) <= modified(bundle)) return;
  run(at("node_modules", ".bin", "esbuild"), [
    at("src", "page", "main.ts"),
    "--bundle",
    "--minify",
    "--format=iife",
    // JupyterLab 4's browsers
    "--target=es2022",
    "--log-level=warning",
    `--outfile=${bundle}`,
  ]);
}

/** Removes compiled files without a source: a test that was renamed must not run under its old name as well. */
function removeOrphans(compiled, sources) {
  if (!existsSync(compiled)) return;
  const ending = /(\.js|\.d\.ts)(\.map)?$/;
  for (const entry of readdirSync(compiled, { withFileTypes: true })) {
    const file = path.join(compiled, entry.name);
    if (entry.isDirectory()) removeOrphans(file, path.join(sources, entry.name));
    else if (ending.test(entry.name) && !existsSync(path.join(sources, entry.name.replace(ending, ".ts"))))
      unlinkSync(file);
  }
}

/**
 * Builds what has changed, after npm's packages are installed. Only one command builds at a time.
 * `tests`: test/ and bench/ as well. Throws Missing where the machine lacks something, and Error where a build fails.
 */
export function build({ tests = false } = {}) {
  requireLinux();
  requireNode();
  withLock(() => {
    installDependencies();
    buildNative();
    buildTypeScript(tests);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  command(() => {
    build();
    say("built");
  });
}

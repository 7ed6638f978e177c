import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { inProject, step } from "./project.mjs";
import { findCompiler } from "./prerequisites.mjs";
import { run } from "./run.mjs";

/** The native addon and the lab host: built by node-gyp when their sources are not the ones that were built last. */

const products = ["one_listener.node", "lab-host"].map((name) => inProject("native", "build", "Release", name));
const stampFile = inProject("native", "build", "built-from.json");

export function addonIsCurrent() {
  const { sources, shape } = fingerprint();
  const stamp = readStamp();
  return stamp?.sources === sources && stamp.shape === shape && products.every((file) => fs.existsSync(file));
}

export async function buildAddon() {
  if (addonIsCurrent()) return;
  const { sources, shape } = fingerprint();
  // make sees which sources changed; another list of sources, other packages or another Node begin anew
  const fresh = readStamp()?.shape !== shape || !fs.existsSync(inProject("native", "build", "Makefile"));
  const args = [inProject("node_modules", "node-gyp", "bin", "node-gyp.js"), fresh ? "rebuild" : "build", "-C", "native", "--jobs", "max", ...headers()];
  const compiler = findCompiler();
  const env = compiler && compiler !== "g++" ? { ...process.env, CXX: process.env.CXX ?? compiler } : process.env;
  await step("Building the native addon and the lab host (node-gyp)", () =>
    run(process.execPath, args, { env, failure: "The native part could not be built.", hint: headers()[0].startsWith("--devdir") ? "Node's headers had to be downloaded for it: is there a network?" : undefined }),
  );
  fs.writeFileSync(stampFile, JSON.stringify({ sources, shape }));
}

/** Node's headers: where they lie beside the binary no network is needed, else node-gyp downloads them, into this folder. */
function headers() {
  const prefix = path.dirname(path.dirname(fs.realpathSync(process.execPath)));
  const beside = ["node_api.h", "common.gypi", "config.gypi"].every((name) => fs.existsSync(path.join(prefix, "include", "node", name)));
  return beside ? [`--nodedir=${prefix}`] : [`--devdir=${inProject(".build", "node-headers")}`];
}

function fingerprint() {
  const sources = createHash("sha256");
  const shape = createHash("sha256").update(`${process.version} ${process.arch} `);
  for (const file of sourceFiles(inProject("native"))) {
    const name = path.relative(inProject("native"), file);
    const content = fs.readFileSync(file);
    sources.update(`${name} ${content.length}\n`).update(content);
    if (name.endsWith(".gyp")) shape.update(content);
  }
  const api = inProject("node_modules", "node-addon-api", "package.json");
  if (fs.existsSync(api)) shape.update(JSON.parse(fs.readFileSync(api, "utf8")).version);
  return { sources: sources.digest("hex"), shape: shape.digest("hex") };
}

function sourceFiles(folder) {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === "build" ? [] : sourceFiles(file);
      return /\.(cc|h|gyp|gypi)$/.test(entry.name) ? [file] : [];
    })
    .sort();
}

function readStamp() {
  try {
    return JSON.parse(fs.readFileSync(stampFile, "utf8"));
  } catch {
    return undefined;
  }
}

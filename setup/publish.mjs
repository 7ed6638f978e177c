// Publishes the library to node_modules/one-listener, where notebooks find it by its name.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { at, run } from "./project.mjs";

/**
 * tslab resolves packages through node_modules only. A link to the project is enough to run cells, but not for types:
 * where tslab writes down a type that the cell does not import, its compiler looks for a path to the declaring file and
 * fails ("Paths must either both be absolute or both be relative"), because a cell's file has no directory. So all
 * declarations go into one file of ambient modules, whose names need no path.
 */
export function publishLibrary() {
  // made in another folder first: a Jupyter kernel that starts meanwhile finds the old one
  const place = at("node_modules", ".one-listener-new");
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  const { name, version, bin, exports } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  const command = Object.fromEntries(Object.entries(bin).map(([key, file]) => [key, `../../${file}`]));
  const types = `${place}/index.d.ts`;
  run(process.execPath, [
    at("node_modules", "typescript", "bin", "tsc"),
    "-p",
    at("tsconfig.json"),
    "--composite",
    "false",
    "--incremental",
    "false",
    "--tsBuildInfoFile",
    "null",
    "--emitDeclarationOnly",
    "--declaration",
    "--module",
    "amd",
    "--moduleResolution",
    "node10",
    "--esModuleInterop",
    "--outFile",
    types,
  ]);
  writeFileSync(types, named(readFileSync(types, "utf8"), name));
  const describe = (folder, description) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/package.json`, `${JSON.stringify(description, null, 2)}\n`);
  };
  // "exports" cannot name files outside of the package: each door but the first is a folder of its own
  for (const [door, { default: file }] of Object.entries(exports)) {
    if (file === undefined || door === ".") continue;
    const folder = path.join(place, door);
    const main = path.relative(folder, path.join(place, "..", "..", file));
    describe(folder, { main, types: path.relative(folder, types) });
  }
  describe(place, { name, version, bin: command, main: "../../dist/index.js", types: "index.d.ts" });
  const published = at("node_modules", "one-listener");
  rmSync(published, { recursive: true, force: true });
  renameSync(place, published);
}

/**
 * The modules of the bundle under the package's name: "index" becomes "one-listener", "native/index" becomes "one-listener/native",
 * "lab/host" becomes "one-listener/lab/host".
 */
function named(bundle, name) {
  const modules = new Set([...bundle.matchAll(/^declare module "([^"]+)"/gm)].map(([, module]) => module));
  return bundle.replace(/(declare module |from |import\()"([^"]+)"/g, (all, before, module) =>
    modules.has(module) ? `${before}"${`${name}/${module}`.replace(/\/index$/, "")}"` : all,
  );
}

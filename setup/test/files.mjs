// Which files of tests run: those that are named, or all, without the slow ones unless they are asked for.
import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { at, Missing, root } from "../project.mjs";

const isTest = (file) => file.endsWith(".test.ts");
const isSlow = (file) => /\.slow(-alone)?\.test\.ts$/.test(file);
const runsBeside = (file) => file.endsWith(".slow.test.ts");

/** The files of tests below a folder, by path from the project's root. */
function testsBelow(folder) {
  return readdirSync(at(folder), { recursive: true, encoding: "utf8" })
    .filter(isTest)
    .map((file) => path.join(folder, file))
    .sort();
}

function testsAt(place, all) {
  const file = path.relative(root, path.resolve(place));
  if (!existsSync(at(file)) || !(file === "test" || file.startsWith(`test${path.sep}`)))
    throw new Missing(`There is no folder or file of tests ${place}.`, "npm test -- test/wire");
  // a file that is named runs, slow or not
  if (statSync(at(file)).isFile()) return [file];
  const found = testsBelow(file);
  return all ? found : found.filter((each) => !isSlow(each));
}

/**
 * The files to run, as sources. `inOrder`: one after another, alone on the machine, because they measure; slow ones
 * last. `beside`: slow ones that measure nothing, which run at the same time.
 */
export function chooseTests(places, { all }) {
  const chosen = [...new Set((places.length > 0 ? places : ["test"]).flatMap((place) => testsAt(place, all)))];
  if (chosen.length === 0)
    throw new Missing(`${places.join(" ")} has slow tests only.`, `npm run test:all -- ${places.join(" ")}`);
  const inOrder = chosen.filter((file) => !runsBeside(file));
  return {
    inOrder: [...inOrder.filter((file) => !isSlow(file)), ...inOrder.filter(isSlow)],
    beside: chosen.filter(runsBeside),
  };
}

/** Where the compiler puts a file of tests. */
export const compiled = (file) => at(".build", file.replace(/\.ts$/, ".js"));

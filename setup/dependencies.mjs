// npm's packages, and the link by which notebooks find the library under its name.
import { existsSync, lstatSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { at, run, say } from "./project.mjs";

const stamp = at("node_modules", ".one-listener-lock");

export function installDependencies() {
  const wanted = readFileSync(at("package-lock.json"), "utf8");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    say("installing npm packages");
    run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], { show: true });
    writeFileSync(stamp, wanted);
  }
  linkSelf();
}

// tslab resolves a package through node_modules only: the project links itself there.
function linkSelf() {
  const link = at("node_modules", "one-listener");
  const there = lstatSync(link, { throwIfNoEntry: false });
  if (there?.isSymbolicLink() && existsSync(link)) return;
  if (there) unlinkSync(link);
  symlinkSync("..", link);
}

// The npm packages of package-lock.json.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { at, run, say } from "./project.mjs";

const stamp = at("node_modules", ".one-listener-lock");

/** Installs the packages where package-lock.json has changed since the last time. */
export function installDependencies() {
  const wanted = readFileSync(at("package-lock.json"), "utf8");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    say("installing npm packages");
    run("npm", ["ci", "--include=dev", "--no-audit", "--no-fund", "--ignore-scripts"], { show: true });
    writeFileSync(stamp, wanted);
  }
}

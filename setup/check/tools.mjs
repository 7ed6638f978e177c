// The tools of `npm run check`: what each is run on, and how its findings are counted. A job is one process.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { findPython, requireVenv } from "../prerequisites.mjs";
import { at, run, say } from "../project.mjs";
import { tidyJobs } from "./tidy.mjs";

const requirements = at("setup", "check-requirements.txt");
const ofPython = (program) => at(".venv-check", "bin", program);
const ofNode = (...parts) => [process.execPath, at("node_modules", ...parts)];

/** clang-format, clang-tidy and ruff in the versions that setup/check-requirements.txt names. */
export function installCheckers() {
  const stamp = at(".venv-check", ".installed-from");
  const wanted = readFileSync(requirements, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const python = findPython();
  requireVenv(python);
  say("installing clang-format, clang-tidy and ruff into .venv-check");
  run(python, ["-m", "venv", at(".venv-check")]);
  run(ofPython("python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements], {
    show: true,
  });
  writeFileSync(stamp, wanted);
}

/** Files of the work tree that git knows or would take up, so that build products stay out. */
function sources(...patterns) {
  const listed = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...patterns], {
    cwd: at(),
    encoding: "utf8",
  });
  if (listed.status === 0) return listed.stdout.split("\n").filter((file) => file !== "" && existsSync(at(file)));
  // an unpacked archive has no git: everything in the folders that are ours
  const ending = new RegExp(`(${patterns.map((each) => each.replace("*", "").replace(".", "\\.")).join("|")})$`);
  const walk = (folder) =>
    readdirSync(at(folder), { withFileTypes: true }).flatMap((entry) => {
      const name = path.join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === "build" ? [] : walk(name);
      return ending.test(name) ? [name] : [];
    });
  return ["native", "setup", "test"].flatMap(walk);
}

const lines = (expression) => (output) => output.match(expression)?.length ?? 0;
const total = (expression) => (output) =>
  [...output.matchAll(expression)].reduce((sum, [, count]) => sum + Number(count), 0);

const prettier = (mode) => ({
  command: [...ofNode("prettier", "bin", "prettier.cjs"), mode, "--log-level", "warn", "."],
  count: lines(/^\[(warn|error)\] \S+\.\w+/gm),
});
const eslint = (folders, ...more) => ({
  command: [...ofNode("eslint", "bin", "eslint.js"), "--max-warnings", "0", ...more, ...folders],
  count: total(/^✖ (\d+) problem/gm),
});
const clangFormat = (...mode) => ({
  command: [ofPython("clang-format"), ...mode, ...sources("*.c", "*.cc", "*.h")],
  count: lines(/ error: /g),
});
const ruff = (...words) => ({ command: [ofPython("ruff"), ...words, "."], count: lines(/^\S+\.py:\d+:\d+: /gm) });
const cells = (...words) => ({
  command: [process.execPath, at("setup", "check", "cells.mjs"), ...words],
  count: lines(/^notebooks\//gm),
});

/**
 * name: as in `npm run check -- NAME`. built: it reads the declarations in dist/, or the addon's compiler flags.
 * check: its jobs. format: the job that writes instead of finding. The longest stand first.
 */
export const tools = [
  {
    name: "eslint",
    built: true,
    check: () => [eslint(["src", "setup", "eslint.config.mjs"]), eslint(["test", "bench", "exercises"])],
  },
  { name: "clang-tidy", built: true, check: () => tidyJobs(ofPython("clang-tidy")) },
  { name: "notebooks", built: true, check: () => [cells("--check")], format: () => cells("--write") },
  { name: "prettier", check: () => [prettier("--check")], format: () => prettier("--write") },
  {
    name: "clang-format",
    check: () => [clangFormat("--dry-run", "-Werror")],
    format: () => clangFormat("-i"),
  },
  {
    name: "ruff",
    check: () => [
      ruff("check", "--quiet", "--output-format", "concise"),
      ruff("format", "--check", "--quiet", "--output-format", "concise"),
    ],
    format: () => ruff("format"),
  },
];

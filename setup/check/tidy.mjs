// clang-tidy, a job for each C++ file whose text, headers, flags or rules have changed since it was last found clean.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { at } from "../project.mjs";

const buildFolder = at("native", "build");
const cache = at(".build", "check", "clang-tidy");

/**
 * What the build wrote down about each object file: make's fragments hold the compiler's command and the headers read.
 * So clang-tidy sees the flags of native/binding.gyp as node-gyp understood them.
 */
function compiled() {
  const fragments = path.join(buildFolder, "Release", ".deps", "Release", "obj.target");
  return readdirSync(fragments, { recursive: true })
    .filter((name) => name.endsWith(".o.d"))
    .map((name) => {
      const text = readFileSync(path.join(fragments, name), "utf8");
      const [, command] = /^cmd_\S+ := (.*)$/m.exec(text);
      const rule = /^\S+\.o: ((?:.*\\\n)*.*)/m.exec(text)[1];
      const [source, ...headers] = rule.split(/[\s\\]+/).filter(Boolean);
      return { source, headers, flags: flagsOf(command, source) };
    })
    .filter(({ source }) => existsSync(path.resolve(buildFolder, source)))
    .sort((a, b) => (a.source < b.source ? -1 : 1));
}

/** The compiler's flags alone: no compiler, no source, no outputs. */
function flagsOf(command, source) {
  const words = command.replaceAll("'", "").split(/\s+/).filter(Boolean).slice(1);
  const withValue = new Set(["-o", "-MF"]);
  const alone = new Set(["-c", "-MMD", source]);
  return words.filter((word, place) => !withValue.has(word) && !withValue.has(words[place - 1]) && !alone.has(word));
}

function digest({ source, headers, flags }) {
  const hash = createHash("sha256");
  for (const rules of [at(".clang-tidy"), at("setup", "check-requirements.txt")]) hash.update(readFileSync(rules));
  hash.update(flags.join(" "));
  for (const file of [source, ...headers]) hash.update(file).update(readFileSync(path.resolve(buildFolder, file)));
  return hash.digest("hex");
}

/** The jobs for what has changed; a file that was found clean is remembered. */
export function tidyJobs(program) {
  mkdirSync(cache, { recursive: true });
  return compiled().flatMap((file) => {
    const stamp = path.join(cache, file.source.replace(/\W+/g, "-"));
    const now = digest(file);
    if (existsSync(stamp) && readFileSync(stamp, "utf8") === now) return [];
    return {
      command: [program, "--quiet", `--config-file=${at(".clang-tidy")}`, file.source, "--", ...file.flags],
      cwd: buildFolder,
      // stderr counts the warnings that were suppressed
      quietErrors: true,
      count: (output) => output.match(/ (?:warning|error): .* \[\S+\]$/gm)?.length ?? 0,
      clean: () => writeFileSync(stamp, now),
    };
  });
}

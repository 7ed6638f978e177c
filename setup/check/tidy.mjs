// clang-tidy, a job for each C++ file. What it said is remembered until text, headers, flags or rules change.
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

/** Headers are shared by many files: each is read once. */
const digests = new Map();
function digestOf(file) {
  if (!digests.has(file)) digests.set(file, createHash("sha256").update(readFileSync(file)).digest("hex"));
  return digests.get(file);
}

function digest({ source, headers, flags }) {
  const hash = createHash("sha256");
  for (const rules of [at(".clang-tidy"), at("setup", "check-requirements.txt")]) hash.update(digestOf(rules));
  hash.update(flags.join(" "));
  for (const file of [source, ...headers]) hash.update(file).update(digestOf(path.resolve(buildFolder, file)));
  return hash.digest("hex");
}

const countFindings = (output) => output.match(/ (?:warning|error): .* \[\S+\]$/gm)?.length ?? 0;

/** A job for each file; where nothing has changed since, `known` is what clang-tidy said of it last time. */
export function tidyJobs(program) {
  mkdirSync(cache, { recursive: true });
  return compiled().map((file) => {
    const remembered = path.join(cache, file.source.replace(/\W+/g, "-"));
    const now = digest(file);
    const [then, ...said] = existsSync(remembered) ? readFileSync(remembered, "utf8").split("\n") : [];
    return {
      command: [program, "--quiet", `--config-file=${at(".clang-tidy")}`, file.source, "--", ...file.flags],
      cwd: buildFolder,
      // stderr counts the warnings that were suppressed
      quietErrors: true,
      count: countFindings,
      known: then === now ? said.join("\n") : undefined,
      // a status other than 0 without a finding is a fault of the run, which is not remembered
      remember: (output, status) => {
        if (status === 0 || countFindings(output) > 0) writeFileSync(remembered, `${now}\n${output}`);
      },
    };
  });
}

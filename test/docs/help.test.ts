import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { promisify } from "node:util";
import { inProject, projectText } from "../fixtures/project";

/** The help of one command. */
interface Help {
  /** the words after `npx one-listener`: "exercise release" */
  command: string;
  text: string;
}

const columns = 120;
const main = inProject("dist", "cli", "main.js");

/** The block under a title such as "Options:", without it. */
const block = ({ text }: Help, title: string) =>
  new RegExp(`^${title}:\\n((?: {2}.*\\n?)*)`, "m").exec(text)?.[1] ?? "";
/** The first words of a block's entries; the lines of a long description are indented further. */
const entries = (help: Help, title: string) =>
  [...block(help, title).matchAll(/^ {2}(\S.*)$/gm)].map(([, line]) => line);
const optionsOf = (help: Help) => [...block(help, "Options").matchAll(/--[\w-]+/g)].map(([name]) => name);

async function helpOf(command: string): Promise<Help[]> {
  const words = command === "" ? [] : command.split(" ");
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...words, "--help"], { timeout: 30_000 });
  const help = { command, text: stdout };
  const names = entries(help, "Commands").map((line) => line.split(/[ |]/)[0]);
  const below = names.filter((name) => name !== "help").map((name) => helpOf([...words, name].join(" ")));
  return [help, ...(await Promise.all(below)).flat()];
}

/** Lines `npx one-listener …` of a text, as words, without what a comment or the shell adds. */
function callsIn(text: string): string[][] {
  return [...text.matchAll(/npx one-listener ((?:[\w:./%=-]+(?:,[\w:./%=-]+)*|"[^"\n]*"|~\/\w+| (?! ))+)/g)].map(
    ([, words]) => words.trim().split(" "),
  );
}

describe("the help of the command line", function () {
  this.timeout(60_000);
  let helps: Help[];

  before(async () => {
    helps = await helpOf("");
    assert.ok(helps.length >= 15, `${helps.length} commands`);
  });

  it("fits into 120 columns", () => {
    for (const { command, text } of helps)
      for (const line of text.split("\n")) assert.ok([...line].length <= columns, `${command} --help: ${line}`);
  });

  it("describes each argument and each option, and shows numbers as numbers", () => {
    for (const help of helps) {
      const usage = /^Usage: (.*)$/m.exec(help.text)?.[1] ?? "";
      const wanted = [...usage.matchAll(/[<[]([\w-]+?)(?:\.\.\.)?[>\]]/g)].map(([, name]) => name);
      const listed = entries(help, "Arguments").map((line) => line.split(" ")[0]);
      for (const name of wanted.filter((each) => each !== "options" && each !== "command"))
        assert.ok(listed.includes(name) || help.command === "", `${help.command}: ${name} has no description`);
      for (const line of [...entries(help, "Arguments"), ...entries(help, "Options")])
        assert.match(line, /\S {2,}\S/, `${help.command}: no description`);
      assert.doesNotMatch(help.text, /default: "\d/, help.command);
    }
  });

  it("is right where a help text, README or a page of docs/ shows a call: its command and options exist", () => {
    const pages = [
      "README.md",
      "CONTRIBUTING.md",
      "SECURITY.md",
      ...readdirSync(inProject("docs")).map((file) => `docs/${file}`),
    ];
    const texts = new Map(helps.map(({ command, text }) => [`${command} --help`, text]));
    for (const page of pages.filter((file) => file.endsWith(".md"))) texts.set(page, projectText(page));
    let calls = 0;
    for (const [place, text] of texts) {
      for (const words of callsIn(text)) {
        calls++;
        const [first, second = ""] = words;
        const help =
          helps.find(({ command }) => command === `${first} ${second}`) ??
          helps.find(({ command }) => command === first);
        assert.ok(help, `${place}: there is no command ${words.join(" ")}`);
        if (block(help, "Commands") !== "" && second !== "" && help.command === first)
          assert.match(second, /^-/, `${place}: there is no command ${words.join(" ")}`);
        const own = words.includes("--") ? words.slice(0, words.indexOf("--")) : words;
        for (const option of own.filter((word) => /^--\w/.test(word)))
          assert.ok(optionsOf(help).includes(option), `${place}: ${help.command} has no option ${option}`);
      }
    }
    assert.ok(calls > 30, `${calls} calls`);
  });
});

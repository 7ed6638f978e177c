import type { Command } from "commander";
import { createInterface } from "node:readline/promises";
import { demos, type Demo, type Outcome } from "../demo/index";
import { Stage } from "../demo/stage";
import { ArgumentError, LabError, requireInteger } from "../errors";
import { textTable } from "../trace";

interface Options {
  json?: boolean;
  pause?: boolean;
  list?: boolean;
  count: string;
}

const help = `
Everything runs in Labs: private network stacks of this demo's own, made without root and gone afterwards. Nothing on this machine changes.
Without a name: the list. "all": one after the other, but not the million. Ctrl-C ends.

Examples:
  npx one-listener demo overflow
  npx one-listener demo all --pause       (Enter goes on: for a lecture)
  npx one-listener demo million`;

export function addDemo(program: Command): void {
  program
    .command("demo")
    .argument("[name]", `${demos.map(({ name }) => name).join(", ")} or all`)
    .description("for a lecture hall: one experiment at a time, live in the terminal")
    .option("--pause", "wait for Enter between two demos")
    .option("--list", "list the demos")
    .option("--count <n>", "connections of the million", "1000000")
    .option("--json", "no show, only what was measured")
    .addHelpText("after", help)
    .action(async (name: string | undefined, options: Options) => {
      const count = requireInteger(Number(options.count), "--count", 1000, 10_000_000);
      if (options.list || name === undefined) return list(options.json);
      const chosen = name === "all" ? demos.filter((demo) => demo.name !== "million") : demos.filter((demo) => demo.name === name);
      if (chosen.length === 0) throw new ArgumentError(`There is no demo "${name}".`, `There are: ${demos.map((demo) => demo.name).join(", ")}, and all.`);
      await play(chosen, options, count);
    });
}

function list(json = false): void {
  if (json) return void process.stdout.write(`${JSON.stringify(demos.map(({ name, title, sentence, seconds }) => ({ name, title, sentence, seconds })), null, 2)}\n`);
  process.stdout.write(`${textTable([{ title: "demo", align: "left" }, { title: "", align: "left" }, { title: "about", align: "right" }], demos.map(({ name, sentence, seconds }) => [name, sentence, `${seconds} s`]))}\n\nStart one: npx one-listener demo ${demos[0].name}\n`);
}

async function play(chosen: readonly Demo[], { json = false, pause }: Options, count: number): Promise<void> {
  const { stdout } = process;
  const mode = json ? "silent" : stdout.isTTY ? "terminal" : "lines";
  const outcomes: Record<string, Outcome["numbers"]> = {};
  const stage = new Stage({ mode, colour: stdout.isTTY && !process.env.NO_COLOR, write: (text) => stdout.write(text) });
  const abort = () => (stage.aborted = true);
  process.once("SIGINT", abort).once("SIGTERM", abort);
  try {
    for (const [at, demo] of chosen.entries()) {
      if (at > 0 && pause && stdout.isTTY) await enter();
      if (mode === "terminal") stdout.write("\u001b[2J\u001b[H");
      stage.tell([demo.title.toUpperCase(), demo.sentence]);
      const outcome = await demo.run(stage, { count });
      if (stage.aborted) throw new LabError("Stopped.", { code: "ERR_INTERRUPTED" });
      stage.tell([...outcome.told, `${outcome.kernel} decided. Read on: notebook ${outcome.notebook}.`]);
      outcomes[demo.name] = outcome.numbers;
    }
  } finally {
    process.off("SIGINT", abort).off("SIGTERM", abort);
  }
  if (json) stdout.write(`${JSON.stringify(chosen.length === 1 ? outcomes[chosen[0].name] : outcomes, null, 2)}\n`);
}

async function enter(): Promise<void> {
  const line = createInterface({ input: process.stdin, output: process.stdout });
  await line.question("  Enter: the next one ");
  line.close();
}

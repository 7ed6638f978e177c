import type { Command } from "commander";
import os from "node:os";
import type { Demo } from "../demo/demo";
import type { Outcome } from "../demo/outcome";
import { demos, demosOf } from "../demo/index";
import { Stage, StageKind } from "../demo/stage";
import { ArgumentError, InterruptedError, requireInteger, requireNumber } from "../errors";
import { native } from "../native";

interface Options {
  json?: boolean;
  pause?: boolean;
  seconds?: string;
  count?: string;
  list?: boolean;
}

/** 128 + SIGINT, as shells report it */
const interrupted = 130;

const help = `
Everything runs in Labs, private TCP stacks of this process, on this machine's kernel: no root, nothing on the machine changes,
nothing stays. Every number shown was measured in this run.

Without a name the demos are listed. "all" runs every one but the million, which takes gigabytes of memory for some seconds.
With --pause a demo stops before each of its parts and goes on drawing until Enter is pressed. Ctrl-C ends it and frees everything.
On a terminal of 24 lines and 100 columns or more the panel is redrawn in place; elsewhere a few plain lines are printed.
Colours are left out where NO_COLOR is set.

Exit status: 0 shown; 1 bad input, or this machine does not allow it; 130 Ctrl-C.

Examples:
  npx one-listener demo overflow
  npx one-listener demo all --pause
  npx one-listener demo million --count 100000
  npx one-listener demo flood --json`;

export function addDemo(program: Command): void {
  program
    .command("demo")
    .argument("[name]", `${demos.map(({ name }) => name).join(", ")} or all; the list if left out`)
    .description("show overflow, SYN flood, spike, descriptors or a million connections, live in the terminal")
    .option("--json", "the measured numbers as one JSON object, and nothing else")
    .option("--pause", "wait for Enter between the parts")
    .option("--seconds <n>", "how long each part is shown, 0.5 to 300; for the million: how long connections may come")
    .option("--count <n>", "connections of the million, 1 to 1000000")
    .option("--list", "list the demos, show none")
    .addHelpText("after", help)
    .action(async (name: string | undefined, options: Options) => {
      const chosen = name === undefined ? demos : demosOf(name);
      const seconds =
        options.seconds === undefined ? undefined : requireNumber(Number(options.seconds), "--seconds", 0.5, 300);
      const count =
        options.count === undefined ? undefined : requireInteger(Number(options.count), "--count", 1, 1_000_000);
      if (name === undefined || options.list) return list(chosen, options.json);
      if (count !== undefined && chosen.every((demo) => demo.count === undefined))
        throw new ArgumentError(
          "--count is for the million.",
          "For example: npx one-listener demo million --count 100000",
        );
      const { TERM, NO_COLOR } = process.env;
      const terminal = process.stdout.isTTY && TERM !== "dumb" && !options.json;
      if (options.pause && !(terminal && process.stdin.isTTY))
        throw new ArgumentError("--pause waits for Enter, and here is no terminal.", "Leave it out.");
      const kind: StageKind = options.json ? "silent" : terminal ? "terminal" : "lines";
      await show(chosen, name, new Stage({ kind, colour: terminal && !NO_COLOR, pause: options.pause }), kind, {
        seconds,
        count,
      });
    });
}

async function show(
  chosen: readonly Demo[],
  name: string,
  stage: Stage,
  kind: StageKind,
  { seconds, count }: { seconds?: number; count?: number },
): Promise<void> {
  const stop = () => stage.stop();
  process.once("SIGINT", stop).once("SIGTERM", stop); // a second Ctrl-C ends the process at once; the Labs end with it
  const shown: object[] = [];
  stage.open();
  try {
    for (const demo of chosen) {
      if (kind !== "silent" && shown.length > 0) process.stdout.write("\n");
      if (kind === "lines") process.stdout.write(`${demo.name}: ${demo.title}\n`);
      stage.begin();
      const start = native.now();
      const outcome = await demo.run(stage, { seconds: seconds ?? demo.seconds, count: count ?? demo.count ?? 0 });
      shown.push(told(demo, outcome, native.now() - start));
      if (demo !== chosen.at(-1)) await stage.intermission();
    }
  } catch (error) {
    if (!(error instanceof InterruptedError && stage.stopped)) throw error;
    process.stderr.write("Stopped. Everything is closed and freed.\n");
    process.exitCode = interrupted;
    return;
  } finally {
    stage.close();
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
  const machine = { kernel: `${os.type()} ${os.release()}`, node: process.version };
  if (kind === "silent")
    process.stdout.write(
      `${JSON.stringify(name === "all" ? { ...machine, demos: shown } : { ...machine, ...shown[0] }, null, 2)}\n`,
    );
}

/** A demo's outcome as JSON has it; `duration` in ms. */
function told({ name, title, notebook }: Demo, { numbers, result, kernel }: Outcome, duration: number): object {
  return { demo: name, title, numbers, result, decidedBy: kernel, notebook, duration: Math.round(duration) };
}

function list(chosen: readonly Demo[], json = false): void {
  const rows = chosen.map(({ name, title, sentence, takes, notebook }) => ({ name, title, sentence, takes, notebook }));
  if (json) return void process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  const blocks = rows.map(
    ({ name, title, sentence, takes, notebook }) =>
      `  ${name.padEnd(13)}${title} (about ${takes} s, notebook ${notebook.slice(0, 2)})\n${" ".repeat(15)}${sentence}`,
  );
  process.stdout.write(
    `Live on this machine's kernel, without root, in private network stacks that are gone afterwards:\n\n${blocks.join("\n\n")}\n\nStart one:   npx one-listener demo ${chosen[0].name}\nAll but the million, with a pause between them:   npx one-listener demo all --pause\n`,
  );
}

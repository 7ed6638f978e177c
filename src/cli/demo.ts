import type { Command } from "commander";
import os from "node:os";
import type { Demo } from "../demo/demo";
import type { Outcome } from "../demo/outcome";
import { demos, demosOf } from "../demo/index";
import { Stage, type StageKind } from "../demo/stage";
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
Everything runs in Labs: private TCP stacks of this process on this machine's kernel. A demo needs no root, changes
nothing on the machine and leaves nothing behind. Every number shown was measured in this run.

Without a name, the demos are listed. "all" runs every demo except million, which uses gigabytes of memory for some
seconds. With --pause a demo waits for Enter before each of its parts, and the panel stays live. Ctrl-C ends the demo
and closes its Labs. On a terminal of at least 24 lines and 100 columns the panel is redrawn in place. Elsewhere a few
plain lines are printed. NO_COLOR switches the colours off.

Exit status: 0 the demos were shown; 1 bad input, or this machine does not allow a Lab; 130 Ctrl-C.

Examples:
  npx one-listener demo overflow
  npx one-listener demo all --pause
  npx one-listener demo million --count 100000
  npx one-listener demo flood --json`;

/** Adds `one-listener demo` to the program. */
export function addDemo(program: Command): void {
  program
    .command("demo")
    .argument("[name]", `${demos.map(({ name }) => name).join(", ")} or all; without a name the demos are listed`)
    .description(
      "show an overflow, a SYN flood, a spike, a full descriptor table or a million connections, live in the terminal",
    )
    .option("--json", "print only the measured numbers, as one JSON object")
    .option("--pause", "wait for Enter between the parts")
    .option("--seconds <n>", "how long each part is shown, 0.5 to 300; for million: how long it waits for connections")
    .option("--count <n>", "connections of the demo million, 1 to 1000000")
    .option("--list", "list the demos and run none")
    .addHelpText("after", help)
    .action(async (name: string | undefined, options: Options) => {
      const chosen = name === undefined ? demos : demosOf(name);
      const wanted = wantedOf(chosen, options);
      if (name === undefined || options.list) return list(chosen, options.json);
      const { kind, stage } = stageFor(options);
      await show(chosen, name, stage, kind, wanted);
    });
}

/** The options of the command line; undefined: the default of each demo. */
interface Wanted {
  seconds?: number;
  count?: number;
}

/** @throws ArgumentError */
function wantedOf(chosen: readonly Demo[], { seconds, count }: Options): Wanted {
  const wanted: Wanted = {};
  if (seconds !== undefined) wanted.seconds = requireNumber(Number(seconds), "--seconds", 0.5, 300);
  if (count === undefined) return wanted;
  wanted.count = requireInteger(Number(count), "--count", 1, 1_000_000);
  if (chosen.every((demo) => demo.count === undefined))
    throw new ArgumentError(
      "--count is an option of the demo million only.",
      "For example: npx one-listener demo million --count 100000",
    );
  return wanted;
}

/** @throws ArgumentError --pause without a terminal */
function stageFor({ json, pause }: Options): { kind: StageKind; stage: Stage } {
  const { TERM, NO_COLOR } = process.env;
  const terminal = process.stdout.isTTY && TERM !== "dumb" && !json;
  if (pause && !(terminal && process.stdin.isTTY))
    throw new ArgumentError("--pause waits for Enter, and there is no terminal.", "Leave --pause out.");
  const kind = json ? "silent" : terminal ? "terminal" : "lines";
  return { kind, stage: new Stage({ kind, colour: terminal && !NO_COLOR, pause }) };
}

async function show(
  chosen: readonly Demo[],
  name: string,
  stage: Stage,
  kind: StageKind,
  { seconds, count }: Wanted,
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
    process.stderr.write("Stopped. Everything is closed and its memory freed.\n");
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
  const [first] = rows;
  const blocks = rows.map(
    ({ name, title, sentence, takes, notebook }) =>
      `  ${name.padEnd(13)}${title} (about ${takes} s, notebook ${notebook.slice(0, 2)})\n${" ".repeat(15)}${sentence}`,
  );
  process.stdout.write(
    `The demos run live on this machine's kernel, without root, in private network stacks that are removed afterwards:\n\n${blocks.join("\n\n")}\n\nStart one:   npx one-listener demo ${first?.name ?? "all"}\nEvery demo except million, with pauses:   npx one-listener demo all --pause\n`,
  );
}

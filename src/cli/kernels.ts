import type { Command } from "commander";
import { ArgumentError, messageWithHint, requireNumber } from "../errors";
import { boot } from "../museum/boot";
import { get, getPackage } from "../museum/get";
import { installed, type Kernel, kernelOf, remove } from "../museum/kernel";
import { suites } from "../museum/suites";
import { progressLine } from "../terminal/progress-line";
import { textTable } from "../wording/text-table";
import { interruptible } from "./interruptible";

const help = `
A kernel is user-mode Linux: a whole Linux as an ordinary program, without root and without a virtual machine. It boots
in seconds, sees this machine's files with your rights, and writes them for real. /tmp, /run, /dev/shm and the network
are its own. TCP, namespaces and sysctls are the code of that version. It has one CPU, and its system calls are slow.

Kernels are packages of Debian, fetched from the mirror of this machine's apt. apt verifies their signatures; nothing
unsigned is run. They are kept in the folder .kernels of the project.

Examples:
  npx one-listener kernels get                      all that Debian has: about 60 MB to fetch, 200 MB on the disk
  npx one-listener kernels get 6.1
  npx one-listener kernels run 6.1 -- uname -r
  npx one-listener kernels run bookworm -- npx one-listener doctor`;

/** Adds `one-listener kernels` to the program. */
export function addKernels(program: Command): void {
  const kernels = program
    .command("kernels")
    .description("other Linux kernels, on which experiments and claims are run")
    .addHelpText("after", help);
  addList(kernels);
  addGet(kernels);
  addRun(kernels);
  addRemove(kernels);
}

function addList(kernels: Command): void {
  kernels
    .command("list", { isDefault: true })
    .description("the kernels that are installed, and those that can be fetched")
    .option("--json", "the list as JSON")
    .action(({ json }: { json?: boolean }) => {
      const there = installed();
      const more = suites.filter(({ suite }) => !there.some(({ name }) => name === suite));
      process.stdout.write(
        json ? `${JSON.stringify({ installed: there, available: more }, null, 2)}\n` : `${listText(there, more)}\n`,
      );
    });
}

function listText(there: readonly Kernel[], more: typeof suites): string {
  const rows = there.map((kernel) => [
    kernel.name,
    kernel.version,
    megabytes(kernel.size),
    kernel.package,
    kernel.installedAt.slice(0, 10),
  ]);
  const table = textTable(
    [
      { title: "name", align: "left" },
      { title: "Linux", align: "left" },
      { title: "on the disk", align: "right" },
      { title: "package", align: "left" },
      { title: "installed", align: "left" },
    ],
    rows,
  );
  const lines = there.length === 0 ? ["No kernel is installed."] : [table];
  if (more.length > 0)
    lines.push(
      "",
      `Can be fetched: ${more.map(({ suite, series }) => `${suite} (${series})`).join(", ")}`,
      "→ Run: npx one-listener kernels get",
    );
  return lines.join("\n");
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

function addGet(kernels: Command): void {
  kernels
    .command("get")
    .argument("[kernels...]", "releases or versions: bookworm, 6.1; default: all")
    .description("fetch kernels and verify their signatures")
    .option("--package <file>", "install this package file of user-mode-linux instead")
    .option("--sha256 <hex>", "the hash of the package file, from a place that you trust")
    .option("--mirror <url>", "a mirror of Debian; default: the one that apt uses")
    .option("--keyring <file>", "the keyring that is trusted; default: the machine's debian-archive-keyring")
    .addHelpText(
      "after",
      "\nA release that is newer than this machine's keyring is verified with the keyring package of a release that the" +
        "\nmachine can verify." +
        "\nExit status: 0 if every kernel is installed, 1 if not.",
    )
    .action(
      async (names: string[], options: { package?: string; sha256?: string; mirror?: string; keyring?: string }) => {
        const signal = interruptible();
        const say = (text: string) => {
          progressLine(text);
        };
        if (options.package !== undefined) {
          if (names.length > 0) throw new ArgumentError("Give either kernels by name or a package file, not both.");
          const kernel = await getPackage(options.package, options.sha256, { signal });
          process.stdout.write(`${kernel.name}: Linux ${kernel.version} is installed.\n`);
          return;
        }
        const results = await get(names, { mirror: options.mirror, keyring: options.keyring, say, signal });
        progressLine("");
        for (const { suite, kernel, error } of results) {
          if (kernel)
            process.stdout.write(`✓ ${suite.suite}: Linux ${kernel.version}, ${megabytes(kernel.fetched)} fetched\n`);
          else process.stdout.write(`✗ ${suite.suite}: ${messageWithHint(error)}\n`);
        }
        process.exitCode = results.some(({ error }) => error) ? 1 : 0;
      },
    );
}

interface RunFlags {
  root?: boolean;
  memory?: string;
  time: number;
  descriptors: number;
}

function addRun(kernels: Command): void {
  kernels
    .command("run")
    .argument("<kernel>", "an installed kernel, by name or version")
    .argument("<command...>", "program and arguments, after --")
    .description("boot a kernel, run one command on it, and end it")
    .option("--root", "as the guest's root; default: as an ordinary user of the guest")
    .option("--memory <size>", "memory of the guest: 512M, 3G; default: 2G, or less where the machine has less")
    .option("--time <seconds>", "time limit, 0 for none", Number, 300)
    .option("--descriptors <number>", "the command's limit of open files", Number, 20_000)
    .addHelpText(
      "after",
      "\nThe guest's root has no more rights on this machine's files than you have." +
        "\nExit status: the command's; 128 + N if signal N ended it; 124 if the time was over.",
    )
    .action(async (name: string, command: string[], flags: RunFlags) => {
      const kernel = kernelOf(name);
      const seconds = requireNumber(flags.time, "--time (s)", 0, 1e9);
      try {
        const end = await boot(kernel, command, {
          root: flags.root ?? false,
          memory: flags.memory === undefined ? undefined : sizeOf(flags.memory),
          timeout: seconds === 0 ? Infinity : seconds * 1000,
          descriptors: flags.descriptors,
          signal: interruptible(),
          onOutput: (stream, part) => void process[stream].write(part),
        });
        process.exitCode = end.status ?? 128 + (end.signal ?? 0);
      } catch (error) {
        const code = (error as { code?: string }).code;
        if (code === "ERR_INTERRUPTED") process.exitCode = 130;
        else if (code === "ERR_TIMEOUT") process.exitCode = 124;
        else throw error;
        process.stderr.write(`${messageWithHint(error)}\n`);
      }
    });
}

/** "512M", "3G" in bytes. @throws ArgumentError it is no size */
function sizeOf(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([MG])i?B?$/i.exec(text) ?? [];
  if (digits === undefined || unit === undefined)
    throw new ArgumentError(`--memory must be a size such as 512M or 3G, not "${text}".`);
  return requireNumber(
    Number(digits) * (unit.toUpperCase() === "G" ? 2 ** 30 : 2 ** 20),
    "--memory (bytes)",
    2 ** 28,
    2 ** 40,
  );
}

function addRemove(kernels: Command): void {
  kernels
    .command("remove")
    .argument("<kernels...>", "installed kernels by name or version, or all")
    .description("remove kernels from the disk")
    .action((names: string[]) => {
      const chosen = names.includes("all") ? installed().map(({ name }) => name) : names;
      for (const name of chosen) {
        const kernel = remove(name);
        process.stdout.write(`${kernel.name}: Linux ${kernel.version} is removed.\n`);
      }
    });
}

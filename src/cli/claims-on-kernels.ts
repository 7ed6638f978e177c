import path from "node:path";
import { ArgumentError, InterruptedError, LabError, messageWithHint } from "../errors";
import { writeWhole } from "../files/whole";
import { installed, projectFolder } from "../museum/kernel";
import { here, type Place, placesOf, runAt } from "../museum/place";
import { KernelLines } from "../museum/progress";
import type { Outcome } from "./claim-outcome";
import { interruptible } from "./interruptible";
import { htmlReport, type KernelClaims, markdownReport, textReport } from "./kernels-report";

/** Options of `claims` that concern other kernels. */
export interface KernelsFlags {
  kernels?: string;
  html?: string;
  markdown?: string;
  json?: boolean;
}

/** ms for all claims on one kernel: ten times of what a quiet machine needs */
const longest = 2_400_000;
/** bytes: claims about a hundred thousand connections need it */
const memory = 3 * 2 ** 30;

/** Decides claims on each kernel, as an ordinary user of it, and prints one table. One that fails does not keep the others back. */
export async function decideOnKernels(names: string, numbers: readonly string[], flags: KernelsFlags): Promise<void> {
  const places = placesOf(names === "all" ? everyKernel() : names.split(","));
  const lines = new KernelLines(places.map(({ label }) => label));
  const signal = interruptible();
  const kernels: KernelClaims[] = [];
  try {
    for (const [at, place] of places.entries())
      kernels.push(await decideAt(place, numbers, signal, (detail) => { lines.set(at, "running", detail); })
        .then((outcomes) => ({ version: shown(place), outcomes }))
        .catch((error: unknown) => {
          if (error instanceof InterruptedError) throw error;
          return { version: shown(place), outcomes: [], error: messageWithHint(error) };
        })); // prettier-ignore
  } finally {
    lines.close();
  }
  const command = ["npx one-listener claims", ...numbers, "--kernels", names].join(" ");
  const report = { command, date: new Date().toISOString().slice(0, 10), kernels };
  if (flags.html !== undefined) await writeWhole(flags.html, htmlReport(report));
  if (flags.markdown !== undefined) await writeWhole(flags.markdown, markdownReport(report));
  process.stdout.write(`${flags.json ? JSON.stringify(report, null, 2) : textReport(report)}\n`);
  process.exitCode = kernels.some(({ error }) => error !== undefined) ? 1 : 0;
}

/** "6.18.44": what a distribution adds behind it says nothing about TCP. A kernel that is not there has the name that was given. */
function shown({ name, version }: Place): string {
  return version === "" ? name : (version.split("-")[0] ?? version);
}

/** @throws ArgumentError none is installed */
function everyKernel(): string[] {
  const names = installed().map(({ name }) => name);
  if (names.length === 0) throw new ArgumentError("No other kernel is installed.", "Run: npx one-listener kernels get");
  return [...names, here];
}

async function decideAt(
  place: Place,
  numbers: readonly string[],
  signal: AbortSignal,
  tell: (detail: string) => void,
): Promise<Outcome[]> {
  const main = path.join(projectFolder, "dist", "cli", "main.js");
  const parts: Buffer[] = [];
  let said = "";
  tell("");
  await runAt(place, [process.execPath, main, "claims", "--json", ...numbers], {
    timeout: longest,
    memory,
    signal,
    what: "the claims",
    onOutput(stream, part) {
      if (stream === "stdout") return void parts.push(part);
      said = (said + part.toString()).slice(-4000);
      tell(said.trim().split("\n").at(-1) ?? "");
    },
  });
  try {
    return (JSON.parse(Buffer.concat(parts).toString()) as { claims: Outcome[] }).claims;
  } catch (cause) {
    throw new LabError(`The claims gave no answer on Linux ${place.version}: ${said.trim()}`, {
      code: "ERR_GUEST",
      cause,
    });
  }
}

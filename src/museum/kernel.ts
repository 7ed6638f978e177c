/**
 * The kernels that are installed: a folder each, below `.kernels` in the project.
 *
 *     .kernels/bookworm/kernel.json   what it is, and how it was verified
 *                      /linux         user-mode Linux, a program
 *                      /modules       its modules with modules.dep(5), those for networks
 *                      /libc          a newer C library, where the kernel needs one
 */
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { ArgumentError, LabError } from "../errors";
import { isOfSeries, suiteOf } from "./suites";

/** The folder of the project. */
export const projectFolder = path.join(__dirname, "..", "..");

/** Where kernels are kept. */
export const kernelsFolder = path.join(projectFolder, ".kernels");

/** What kernel.json holds. */
export interface KernelRecord {
  /** the release of Debian whose package it is; absent for a package file of the reader's */
  suite?: string;
  /** "6.1.176" */
  version: string;
  /** "user-mode-linux 6.1um1+b3" */
  package: string;
  /** SHA-256 of the package file, hexadecimal */
  packageHash: string;
  /** why the package is believed to be what it says: one sentence */
  verified: string;
  /** SHA-256 of the program as it is installed, hexadecimal */
  programHash: string;
  /** bytes that were fetched */
  fetched: number;
  /** bytes that the folder takes */
  size: number;
  /** ISO 8601 */
  installedAt: string;
}

/** An installed kernel. */
export interface Kernel extends KernelRecord {
  /** its name: the suite's, or "file-6.8.0" */
  readonly name: string;
  /** its folder, absolute */
  readonly folder: string;
}

function read(folder: string): Kernel | undefined {
  try {
    const record = JSON.parse(readFileSync(path.join(folder, "kernel.json"), "utf8")) as KernelRecord;
    return { ...record, name: path.basename(folder), folder };
  } catch {
    return undefined;
  }
}

/** Numbers of a version, for sorting: "6.12.113" is after "6.1.176". */
function parts(version: string): number[] {
  return (version.match(/\d+/g) ?? []).map(Number);
}

function byVersion(one: Kernel, other: Kernel): number {
  const [first, second] = [parts(one.version), parts(other.version)];
  const at = first.findIndex((value, index) => value !== second[index]);
  return at < 0 ? 0 : (first[at] ?? 0) - (second[at] ?? 0);
}

/** The kernels that are installed, from the oldest. @param folder where they are kept */
export function installed(folder = kernelsFolder): Kernel[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .flatMap((entry) => read(path.join(folder, entry.name)) ?? [])
    .sort(byVersion);
}

/**
 * The installed kernel of that name ("bookworm") or version ("6.1", "6.1.176").
 * @throws ArgumentError it is not installed: says which are, and how to get it
 */
export function kernelOf(name: string, folder = kernelsFolder): Kernel {
  const all = installed(folder);
  const found =
    all.find((kernel) => kernel.name === name) ?? all.filter(({ version }) => isOfSeries(version, name)).at(-1);
  if (found !== undefined) return found;
  let get = "npx one-listener kernels get";
  try {
    get += ` ${suiteOf(name).suite}`;
  } catch {
    // no release has it either: what is there is all that can be said
    get = "npx one-listener kernels list";
  }
  const there = all.map((kernel) => `${kernel.name} (${kernel.version})`).join(", ");
  throw new ArgumentError(
    `The kernel "${name}" is not installed.`,
    `${there === "" ? "None is" : `Installed: ${there}`}. Run: ${get}`,
  );
}

/** Removes an installed kernel from the disk. @throws ArgumentError it is not installed */
export function remove(name: string, folder = kernelsFolder): Kernel {
  const kernel = kernelOf(name, folder);
  rmSync(kernel.folder, { recursive: true, force: true });
  return kernel;
}

/** SHA-256, hexadecimal. */
export function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** All files below a folder, by their paths relative to it. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    lstatSync(path.join(folder, name)).isFile(),
  );
}

/** Bytes of all files below a folder. */
export function sizeOfFolder(folder: string): number {
  return filesBelow(folder).reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
}

/**
 * Makes sure that the program is the one that was verified.
 * @throws LabError ERR_GUEST: it was changed, or cut off
 */
export function requireUnchanged(kernel: Kernel): void {
  let hash = "";
  try {
    hash = hashOf(readFileSync(path.join(kernel.folder, "linux")));
  } catch {
    // no program is no verified program
  }
  if (hash === kernel.programHash) return;
  throw new LabError(`The program of the kernel "${kernel.name}" is not the one that was verified.`, {
    code: "ERR_GUEST",
    hint: `Fetch it again: npx one-listener kernels get ${kernel.suite ?? "--package FILE.deb --sha256 HEX"}`,
  });
}

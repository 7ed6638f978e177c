/** Fetching kernels: from Debian's mirror, or from a package file of the reader's. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { ArgumentError, LabError } from "../errors";
import { install, type VerifiedPackage } from "./install";
import { hashOf, type Kernel } from "./kernel";
import { type PackageOptions, Packages } from "./packages";
import { run } from "./run";
import { type Suite, suiteOf, suites } from "./suites";

/** How kernels are fetched. */
export interface GetOptions extends PackageOptions {
  /** where kernels are kept; default: the project's .kernels */
  folder?: string;
}

/** What became of one suite. */
export interface GetResult {
  suite: Suite;
  /** the installed kernel; absent: `error` says why */
  kernel?: Kernel;
  error?: Error;
}

/**
 * Fetches, verifies and installs the kernels of Debian's suites, one after the other. One that fails does not keep the others back.
 * @param names suites or their kernels' series: "bookworm", "6.1"; none: all
 * @throws ArgumentError there is no such suite
 * @throws LabError ERR_MIRROR: there is no mirror to ask, or no apt
 */
export async function get(names: readonly string[], options: GetOptions = {}): Promise<GetResult[]> {
  const wanted = names.length === 0 ? suites : [...new Set(names.map((name) => suiteOf(name)))];
  const packages = await Packages.open(options);
  const { folder, signal, say } = options;
  const results: GetResult[] = [];
  try {
    for (const suite of wanted) {
      try {
        const source = await packages.fetch(suite.suite, "user-mode-linux");
        const libc = () => packages.fetch(suite.suite, "libc6");
        const kernel = await install(source, { libc, signal, ...(folder !== undefined && { folder }) });
        say?.(`${suite.suite}: Linux ${kernel.version} is installed`);
        results.push({ suite, kernel });
      } catch (error) {
        if (signal?.aborted) throw error;
        results.push({ suite, error: error as Error });
      }
    }
  } finally {
    packages.close();
  }
  return results;
}

/**
 * Installs a package file. Its signature cannot be verified, since a package has none of its own: the reader vouches for it by its hash.
 * @param file path of a .deb file
 * @param sha256 hexadecimal; where the reader has got it from is what the kernel is trusted for
 * @throws ArgumentError no such file, no hash, another hash, another architecture, another package
 * @throws LabError the kernel cannot run here
 */
export async function getPackage(file: string, sha256: string | undefined, options: GetOptions = {}): Promise<Kernel> {
  if (!existsSync(file)) throw new ArgumentError(`There is no package file ${file}.`);
  const hash = hashOf(readFileSync(file));
  if (sha256 === undefined)
    throw new ArgumentError(
      "A package file has no signature of its own, and nothing unsigned is run.",
      `Take its SHA-256 from a place that you trust (the signed list of the mirror that it came from) and give it: --sha256 HEX`,
    );
  if (sha256.toLowerCase() !== hash)
    throw new ArgumentError(
      `The package file is not the one that is meant: its SHA-256 is ${hash}.`,
      "Fetch the file again, or look the hash up again.",
    );
  const source = await describePackage(path.resolve(file), hash);
  const { folder, signal } = options;
  return install(source, { signal, ...(folder !== undefined && { folder }) });
}

async function describePackage(file: string, hash: string): Promise<VerifiedPackage> {
  const fields = ["Package", "Version", "Architecture"];
  const { status, stdout, stderr } = await run("dpkg-deb", ["--field", file, ...fields]).catch((error: unknown) => {
    if (error instanceof LabError && error.code === "ENOENT")
      throw new LabError("This machine has no dpkg-deb, with which packages are unpacked.", {
        code: "ERR_PACKAGE",
        hint: "Install the package dpkg of this distribution.",
      });
    throw error;
  });
  const value = (field: string) => new RegExp(`^${field}: (.*)$`, "m").exec(stdout)?.[1] ?? "";
  const [name, version, architecture] = fields.map(value) as [string, string, string];
  if (status !== 0)
    throw new ArgumentError(
      `${path.basename(file)} is no Debian package: ${stderr.trim().replace(/^dpkg-deb: error: /, "")}.`,
    );
  if (name !== "user-mode-linux")
    throw new ArgumentError(`${path.basename(file)} is the package ${name}, not user-mode-linux.`);
  if (architecture !== "amd64")
    throw new ArgumentError(
      `${path.basename(file)} is for the architecture ${architecture}; this machine runs amd64.`,
      "Take the package of the same version for amd64.",
    );
  return { file, package: `${name} ${version}`, verified: `The reader gave its SHA-256, ${hash}.` };
}

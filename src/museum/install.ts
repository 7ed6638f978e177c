/** From a verified package to an installed kernel. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { LabError } from "../errors";
import { isProgramForX64, setInterpreter } from "./elf";
import { filesBelow, hashOf, type Kernel, kernelsFolder, type KernelRecord, sizeOfFolder } from "./kernel";
import { run } from "./run";

/** A package file that may be run, and why. */
export interface VerifiedPackage {
  /** path of the .deb file */
  file: string;
  /** "user-mode-linux 6.1um1+b3" */
  package: string;
  /** release of Debian; absent for a file of the reader's */
  suite?: string;
  /** why it is believed */
  verified: string;
}

/** How install() gets on. */
export interface InstallOptions {
  /** The C library's package for this kernel, fetched when the machine's is too old; absent: none can be had. */
  libc?: () => Promise<VerifiedPackage>;
  /** where kernels are kept; default: the project's */
  folder?: string;
  signal?: AbortSignal | undefined;
}

/** the fetched linker's path, relative to the kernel's folder; shorter than what it replaces ("/lib64/ld-linux-x86-64.so.2") */
const linker = "libc/ld.so";

/** what of the C library user-mode Linux was seen to need, as files and not as links: so since glibc 2.34 */
const neededLibraries = /^lib(c|m|rt|util|pthread|dl)\.so\.\d+$/;

/** What of a package's modules is kept: whatever a network may want. The rest (file systems, disks, sound) is most of it. */
const keptModules = [/^kernel\/net\//, /^kernel\/lib\//, /^kernel\/crypto\//, /^kernel\/drivers\/net\/[^/]+$/];

async function unpack(file: string, into: string, signal?: AbortSignal): Promise<void> {
  const { status, stderr } = await run("dpkg-deb", ["--extract", file, into], { signal });
  if (status !== 0)
    throw new LabError(`The package ${path.basename(file)} cannot be unpacked: ${stderr.trim()}.`, {
      code: "ERR_PACKAGE",
      hint: "Fetch it again.",
    });
}

/** Moves the modules to their place, and drops those that no network needs. */
function takeModules(unpacked: string, place: string): string {
  const folder = path.join(unpacked, "usr", "lib", "uml", "modules");
  const [version] = existsSync(folder) ? readdirSync(folder) : [];
  if (version === undefined)
    throw new LabError("The package holds no kernel modules in usr/lib/uml/modules.", { code: "ERR_PACKAGE" });
  const modules = path.join(folder, version);
  for (const name of filesBelow(modules))
    if (name.startsWith("kernel/") && !keptModules.some((kept) => kept.test(name))) rmSync(path.join(modules, name));
  renameSync(modules, place);
  return version;
}

/** @returns the version that the program tells of itself; undefined: it cannot run here, and what it said */
async function tryProgram(folder: string): Promise<{ version?: string; said: string }> {
  const libraries = path.join(folder, "libc");
  const env = { ...process.env, ...(existsSync(libraries) && { LD_LIBRARY_PATH: libraries }) };
  const { status, stdout, stderr } = await run(path.join(folder, "linux"), ["--version"], {
    cwd: folder,
    env,
    timeout: 20_000,
  });
  return status === 0 ? { version: stdout.trim(), said: "" } : { said: stderr.trim() };
}

/** Gives the program the C library of its own release. */
async function takeLibc(folder: string, libc: VerifiedPackage, signal?: AbortSignal): Promise<void> {
  const unpacked = path.join(folder, ".libc");
  await unpack(libc.file, unpacked, signal);
  const place = path.join(folder, "libc");
  mkdirSync(place);
  // usr/lib64 and lib64, usr/lib/x86_64-linux-gnu and lib/x86_64-linux-gnu: the file itself is at one of them
  for (const name of filesBelow(unpacked)) {
    const base = path.basename(name);
    if (base === "ld-linux-x86-64.so.2") renameSync(path.join(unpacked, name), path.join(folder, linker));
    else if (neededLibraries.test(base)) renameSync(path.join(unpacked, name), path.join(place, base));
  }
  rmSync(unpacked, { recursive: true, force: true });
  const file = path.join(folder, "linux");
  const program = readFileSync(file);
  setInterpreter(program, linker);
  writeFileSync(file, program);
}

async function makeRunnable(
  folder: string,
  options: InstallOptions,
): Promise<{ version: string; libc?: VerifiedPackage }> {
  const first = await tryProgram(folder);
  if (first.version !== undefined) return { version: first.version };
  if (!/GLIBC_|not found/.test(first.said) || options.libc === undefined)
    throw new LabError(`The kernel cannot run on this machine: ${first.said.split("\n")[0] ?? ""}`, {
      code: "ERR_GUEST",
      hint: "It needs a newer C library than this machine has. Take the package of an older release.",
    });
  const libc = await options.libc();
  await takeLibc(folder, libc, options.signal);
  const second = await tryProgram(folder);
  if (second.version === undefined)
    throw new LabError(`The kernel cannot run on this machine, not even with its own C library: ${second.said}`, {
      code: "ERR_GUEST",
    });
  return { version: second.version, libc };
}

/**
 * Unpacks a package and makes it runnable here. An installed kernel of the same name is replaced when the new one is complete.
 * @throws LabError ERR_PACKAGE: not a package of user-mode Linux; ERR_GUEST: it cannot run here
 */
export async function install(source: VerifiedPackage, options: InstallOptions = {}): Promise<Kernel> {
  const { folder: kernels = kernelsFolder, signal } = options;
  const work = path.join(kernels, `.new-${process.pid}-${Date.now()}`);
  const unpacked = path.join(work, ".package");
  mkdirSync(unpacked, { recursive: true });
  try {
    await unpack(source.file, unpacked, signal);
    const program = path.join(unpacked, "usr", "bin", "linux.uml");
    if (!existsSync(program) || !isProgramForX64(readFileSync(program)))
      throw new LabError("The package holds no user-mode Linux for x86-64 in usr/bin/linux.uml.", {
        code: "ERR_PACKAGE",
        hint: "The package of Debian is user-mode-linux.",
      });
    takeModules(unpacked, path.join(work, "modules"));
    renameSync(program, path.join(work, "linux"));
    chmodSync(path.join(work, "linux"), 0o755);
    rmSync(unpacked, { recursive: true, force: true });
    const { version, libc } = await makeRunnable(work, options);
    const name = source.suite ?? `file-${version}`;
    const files = [source.file, ...(libc ? [libc.file] : [])].map((file) => readFileSync(file));
    const record: KernelRecord = {
      ...(source.suite !== undefined && { suite: source.suite }),
      version,
      package: source.package,
      packageHash: hashOf(readFileSync(source.file)),
      verified: source.verified,
      programHash: hashOf(readFileSync(path.join(work, "linux"))),
      fetched: files.reduce((sum, { length }) => sum + length, 0),
      size: sizeOfFolder(work),
      installedAt: new Date().toISOString(),
    };
    writeFileSync(path.join(work, "kernel.json"), `${JSON.stringify(record, null, 2)}\n`);
    const place = path.join(kernels, name);
    rmSync(place, { recursive: true, force: true });
    renameSync(work, place);
    return { ...record, name, folder: place };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

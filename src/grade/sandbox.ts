/**
 * The sandbox around a student's code: bubblewrap. No network but the Lab it is let into, no file but the library and the system's
 * libraries, no program but node, a file system of its own in memory, limits of the kernel's; and supervision.ts watches it from outside.
 */
import { execFileSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { LabError } from "../errors";
import type { Wrap } from "../exercise/bounds";
import { withinSolution } from "../exercise/process/messages";

const root = path.join(__dirname, "..", "..");
/** bytes of files in memory, all together */
const files = 64 << 20;
/** threads and processes: node has a dozen of its own, and the library's threads come on top. Root is exempt from it; supervision.ts counts them, too */
const tasks = 128;
/** bytes of private memory that one process may map for writing */
const data = 2 ** 30;

/** What the runner and the library need, and no more: no exercises, no checks, no dependencies. */
const shared = ["dist", path.join("native", "build", "Release"), "package.json"];
const systemLibraries = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache"];

/** Namespaces of its own, no capabilities, and the user id of nobody. */
const identity = [
  ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"],
  ["--uid", "65534", "--gid", "65534", "--hostname", "sandbox", "--cap-drop", "ALL"],
].flat();

const readOnly = (file: string, at = file) => ["--ro-bind", file, at];

/** The file systems that a solution sees. */
function fileSystems(node: string): string[] {
  return [
    // before the binds: a project that lies in /tmp would be hidden behind it
    ["--proc", "/proc", "--dev", "/dev", "--size", String(files), "--tmpfs", "/tmp"],
    ...systemLibraries.filter((directory) => existsSync(directory)).map((directory) => readOnly(directory)),
    readOnly("/usr/bin/prlimit"),
    readOnly(node),
    ...shared.map((file) => readOnly(path.join(root, file))),
    // /dev is a file system in memory as well, and one without a bound (/dev/shm lies in it)
    ["--chdir", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/"],
  ].flat();
}

const environment = Object.entries({ LANG: "C.UTF-8", [withinSolution]: "1", HOME: "/tmp", PATH: "/usr/bin" });

/** bwrap's arguments for a command. */
export const sandbox: Wrap = (argv, { nofile, time }) => {
  const node = realpathSync(process.execPath);
  const limits = [`--nofile=${nofile}`, "--core=0", `--fsize=${files}`, `--nproc=${tasks}`, `--data=${data}`];
  return [
    "bwrap",
    ...identity,
    ...fileSystems(node),
    "--clearenv",
    ...environment.flatMap(([name, value]) => ["--setenv", name, value]),
    "prlimit",
    ...limits,
    `--cpu=${Math.ceil(time / 1000) + 5}`,
    ...argv.map((word) => (word === process.execPath ? node : word)),
  ];
};

/** @throws LabError bubblewrap is not installed, or not allowed here: nothing is graded without it */
export function requireSandbox(): void {
  const [file = "", ...args] = sandbox(
    [process.execPath, "-e", `require(${JSON.stringify(path.join(root, "dist", "index.js"))})`],
    { nofile: 1024, time: 5000, memory: 0, processes: 0, output: 0 },
  );
  try {
    execFileSync(file, args, { stdio: ["ignore", "ignore", "pipe"], timeout: 20_000 });
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: Buffer };
    if (code === "ENOENT")
      throw new LabError("Submissions are graded in a sandbox, and bubblewrap is not installed.", {
        code: "ENOENT",
        hint: "sudo apt-get install bubblewrap",
      });
    throw new LabError(
      `Submissions are graded in a sandbox, and bubblewrap does not work here: ${String(stderr ?? error)
        .trim()
        .split("\n")
        .pop()}.`,
      { code: "ERR_FORBIDDEN", hint: "npx one-listener doctor says what forbids user namespaces." },
    );
  }
}

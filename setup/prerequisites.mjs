import fs from "node:fs";
import { SetupError } from "./project.mjs";
import { output, which } from "./run.mjs";

/** What the machine must have before anything of ours can run: each missing thing is one message with the line that mends it. */

export const leastNode = 20;
export const leastPython = [3, 9];

/** The machine as the checks see it; tests put another one in its place. */
export function thisMachine() {
  return {
    platform: process.platform,
    nodeVersion: process.versions.node,
    path: process.env.PATH ?? "",
    cxx: process.env.CXX,
    root: process.getuid?.() === 0,
    osRelease: readOsRelease(),
  };
}

/** Ends the set-up if this cannot work at all: another system, an old Node. */
export function requirePlatform(machine = thisMachine()) {
  if (machine.platform !== "linux") {
    const name = { darwin: "macOS", win32: "Windows" }[machine.platform] ?? machine.platform;
    const way = machine.platform === "win32" ? "In WSL 2 it works as it is: `wsl --install`, then clone it there." : "In a Linux virtual machine or a privileged container it works as it is.";
    throw new SetupError(`One Listener measures the Linux kernel it runs on, and this is ${name}. ${way}`);
  }
  if (Number(machine.nodeVersion.split(".")[0]) < leastNode) {
    throw new SetupError(`Node.js ${machine.nodeVersion} is too old: One Listener needs Node.js ${leastNode} or newer.\n  nvm install 22        (or an installer from https://nodejs.org)`);
  }
}

/**
 * Ends the set-up with everything that is missing.
 * @param needs any of "compiler", "make", "python", "venv"
 */
export function requirePrograms(needs, machine = thisMachine()) {
  const missing = missingPrograms(needs, machine);
  if (missing.length > 0) throw new SetupError(missing.map(({ message, line }) => `${message}\n  ${line}`).join("\n\n"));
}

/** The same as a list of { message, line }. */
export function missingPrograms(needs, machine = thisMachine()) {
  const missing = [];
  const compiler = !needs.includes("compiler") || findCompiler(machine) !== undefined;
  const make = !needs.includes("make") || which("make", machine.path) !== undefined;
  if (!compiler || !make) {
    const what = [compiler ? undefined : "C++ compiler", make ? undefined : "make"].filter(Boolean).join(" and no ");
    missing.push({ message: `There is no ${what}, and One Listener's native part has to be built.`, line: installLine(machine, ["compiler"]) });
  }
  if (needs.includes("python") || needs.includes("venv")) {
    const found = findPython(machine);
    if (!found) {
      missing.push({ message: `There is no Python 3, which JupyterLab and the build (node-gyp) need.`, line: installLine(machine, needs.includes("venv") ? ["python", "venv"] : ["python"]) });
    } else if (older(found.version, leastPython)) {
      missing.push({ message: `Python ${found.version.join(".")} (${found.program}) is too old: ${leastPython.join(".")} or newer is needed.`, line: installLine(machine, ["python", "venv"]) });
    } else if (needs.includes("venv") && output(found.program, ["-c", "import venv, ensurepip"], environment(machine)) === undefined) {
      missing.push({
        message: "JupyterLab is not installed, and Python's venv module, to install it into this folder, is missing.",
        line: installLine(machine, ["venv"]),
      });
    }
  }
  return missing;
}

/** The C++ compiler that the build should use. */
export function findCompiler(machine = thisMachine()) {
  return [machine.cxx?.split(" ")[0], "g++", "c++", "clang++"].filter(Boolean).find((program) => which(program, machine.path));
}

/** The newest-looking Python 3 on PATH: { program, version }. */
export function findPython(machine = thisMachine()) {
  for (const name of ["python3", "python"]) {
    const program = which(name, machine.path);
    const version = program && output(program, ["-c", "import sys; print(*sys.version_info[:3])"], environment(machine));
    const numbers = version?.split(" ").map(Number);
    if (numbers?.[0] === 3) return { program, version: numbers };
  }
  return undefined;
}

const environment = (machine) => ({ env: { ...process.env, PATH: machine.path } });

const older = (version, least) => version[0] < least[0] || (version[0] === least[0] && version[1] < least[1]);

const packageManagers = [
  { systems: ["debian", "ubuntu"], line: "apt-get install", compiler: "g++ make", python: "python3", venv: "python3-venv" },
  { systems: ["fedora", "rhel", "centos"], line: "dnf install", compiler: "gcc-c++ make", python: "python3", venv: "python3-pip" },
  { systems: ["arch"], line: "pacman -S --needed", compiler: "gcc make", python: "python", venv: "python" },
  { systems: ["alpine"], line: "apk add", compiler: "g++ make linux-headers", python: "python3", venv: "py3-pip" },
  { systems: ["suse", "opensuse"], line: "zypper install", compiler: "gcc-c++ make", python: "python3", venv: "python3-pip" },
];

function installLine(machine, things) {
  const { ID = "", ID_LIKE = "" } = machine.osRelease;
  const names = [ID, ...ID_LIKE.split(" ")];
  const manager = packageManagers.find(({ systems }) => names.some((name) => systems.includes(name)));
  if (!manager) {
    const words = { compiler: "a C++17 compiler (g++) and make", python: `Python ${leastPython.join(".")} or newer`, venv: "Python's venv and ensurepip modules" };
    return `install ${things.map((thing) => words[thing]).join(" and ")} with your system's package manager`;
  }
  const packages = [...new Set(things.map((thing) => manager[thing]))].join(" ");
  return `${machine.root ? "" : "sudo "}${manager.line} ${packages}`;
}

function readOsRelease() {
  let text = "";
  try {
    text = fs.readFileSync("/etc/os-release", "utf8");
  } catch {
    // a system without the file gets the general advice
  }
  return Object.fromEntries([...text.matchAll(/^(\w+)="?([^"\n]*)"?$/gm)].map(([, name, value]) => [name, value]));
}

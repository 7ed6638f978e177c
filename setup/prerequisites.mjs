// What the machine must have before anything can be installed. Each missing part is one message, and the line that installs it.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { Missing } from "./project.mjs";

/** The line that installs packages on a distribution. `release`: ID and ID_LIKE of its /etc/os-release. */
export function installLine(packages, release = osRelease()) {
  const { debian, fedora, arch, alpine } = packages;
  if (/debian|ubuntu/.test(release)) return `sudo apt-get install ${debian}`;
  if (/fedora|rhel|centos/.test(release)) return `sudo dnf install ${fedora}`;
  if (/arch/.test(release)) return `sudo pacman -S ${arch}`;
  if (/alpine/.test(release)) return `sudo apk add ${alpine}`;
  return `install ${debian} (or what your distribution calls it)`;
}

function osRelease() {
  return existsSync("/etc/os-release")
    ? (readFileSync("/etc/os-release", "utf8")
        .match(/^ID(?:_LIKE)?=.*$/gm)
        ?.join(" ") ?? "")
    : "";
}

const works = (program, args) => spawnSync(program, args, { stdio: "ignore" }).status === 0;

/** Throws where Node.js is older than 20. */
export function requireNode(version = process.versions.node) {
  if (Number(version.split(".")[0]) < 20) {
    throw new Missing(
      `One Listener needs Node.js 20 or newer; this is ${version}.`,
      "nvm install 20    (or your distribution's nodejs package)",
    );
  }
}

/** Throws where the system is not Linux. */
export function requireLinux(platform = process.platform) {
  if (platform !== "linux") {
    throw new Missing(
      `One Listener runs only on Linux, and this is ${platform}. Use a Linux virtual machine, a container or WSL 2.`,
      "for instance:  multipass launch --name one-listener && multipass shell one-listener",
    );
  }
}

/** Throws where there is no C++ compiler or no make. */
export function requireCompiler() {
  const compiler = process.env.CXX ?? "g++";
  if (!works(compiler, ["--version"]) && !works("c++", ["--version"]) && !works("clang++", ["--version"])) {
    throw new Missing(
      "A C++ compiler is missing (g++ or clang++).",
      installLine({ debian: "g++ make", fedora: "gcc-c++ make", arch: "base-devel", alpine: "g++ make" }),
    );
  }
  if (!works("make", ["--version"]))
    throw new Missing(
      "make is missing.",
      installLine({ debian: "make", fedora: "make", arch: "base-devel", alpine: "make" }),
    );
}

/** The path of a Python 3.9 or newer: node-gyp needs it to build, JupyterLab to run. Throws where there is none. */
export function findPython() {
  for (const name of [process.env.PYTHON, "python3", "python"].filter(Boolean)) {
    const probe = spawnSync(name, ["-c", "import sys; print(sys.executable); sys.exit(sys.version_info < (3, 9))"], {
      encoding: "utf8",
    });
    if (probe.status === 0) return probe.stdout.trim();
  }
  throw new Missing(
    "Python 3.9 or newer is missing. The build of the addon and JupyterLab need it.",
    installLine({ debian: "python3 python3-venv", fedora: "python3", arch: "python", alpine: "python3" }),
  );
}

/** Throws where a Python cannot make virtual environments. */
export function requireVenv(python) {
  if (!works(python, ["-c", "import venv, ensurepip"])) {
    throw new Missing(
      `${path.basename(python)} has no venv module. The set-up needs it to install JupyterLab inside the project.`,
      installLine({ debian: "python3-venv", fedora: "python3-pip", arch: "python", alpine: "py3-pip py3-virtualenv" }),
    );
  }
}

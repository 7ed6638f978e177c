// What must be on the machine before anything can be installed. Each missing thing is one message and the line that mends it.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { Missing } from "./project.mjs";

/** The package manager's line for this distribution. */
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

export function requireNode(version = process.versions.node) {
  if (Number(version.split(".")[0]) < 20) {
    throw new Missing(
      `One Listener needs Node.js 20 or newer; this is ${version}.`,
      "nvm install 20    (or your distribution's nodejs package)",
    );
  }
}

export function requireLinux(platform = process.platform) {
  if (platform !== "linux") {
    throw new Missing(
      `One Listener looks inside the Linux kernel, and this is ${platform}. It needs Linux: a virtual machine, a container or WSL 2 serves well.`,
      "for instance:  multipass launch --name one-listener && multipass shell one-listener",
    );
  }
}

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

/** Python 3.9 or newer: node-gyp needs it for building, JupyterLab for running. */
export function findPython() {
  for (const name of [process.env.PYTHON, "python3", "python"].filter(Boolean)) {
    const probe = spawnSync(name, ["-c", "import sys; print(sys.executable); sys.exit(sys.version_info < (3, 9))"], {
      encoding: "utf8",
    });
    if (probe.status === 0) return probe.stdout.trim();
  }
  throw new Missing(
    "Python 3.9 or newer is missing: the addon's build and JupyterLab need it.",
    installLine({ debian: "python3 python3-venv", fedora: "python3", arch: "python", alpine: "python3" }),
  );
}

export function requireVenv(python) {
  if (!works(python, ["-c", "import venv, ensurepip"])) {
    throw new Missing(
      `${path.basename(python)} has no venv module: JupyterLab is put into an environment of the project's own.`,
      installLine({ debian: "python3-venv", fedora: "python3-pip", arch: "python", alpine: "py3-pip py3-virtualenv" }),
    );
  }
}

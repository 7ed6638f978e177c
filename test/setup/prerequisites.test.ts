import assert from "node:assert/strict";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { hasProgram } from "../fixtures/processes";
import { inProject } from "../fixtures/project";
import { skip } from "../fixtures/skip";
import { Clone } from "./clone";

interface Prerequisites {
  installLine(packages: { debian: string; fedora: string; arch: string; alpine: string }, release: string): string;
  requireNode(version?: string): void;
  requireLinux(platform?: string): void;
  requireVenv(python: string): void;
}

describe("what is missing on the machine", () => {
  let prerequisites: Prerequisites;
  let clone: Clone;
  before(async () => {
    prerequisites = (await import(pathToFileURL(inProject("setup", "prerequisites.mjs")).href)) as Prerequisites;
    clone = new Clone({ built: false });
  });
  after(() => clone.remove());

  /** Everything that a build calls, by the doctored PATH: sh for make's rules, env for scripts. */
  const tools = ["sh", "env", "g++", "cc", "as", "ld", "make", "python3"];

  const lacking: Record<string, { without: string[]; message: RegExp; line: RegExp }> = {
    "a C++ compiler": {
      without: ["g++"],
      message: /^A C\+\+ compiler is missing \(g\+\+ or clang\+\+\)\.$/,
      line: /g\+\+|gcc/,
    },
    make: { without: ["make"], message: /^make is missing\.$/, line: /make|base-devel/ },
    Python: {
      without: ["python3"],
      message: /^Python 3\.9 or newer is missing\. The build of the addon and JupyterLab need it\.$/,
      line: /python/,
    },
  };
  for (const [name, { without, message, line }] of Object.entries(lacking)) {
    it(`says that ${name} is missing, and the line that installs it, and nothing else`, async function () {
      if (!hasProgram("g++") || !hasProgram("make")) skip(this, "there is no g++ or no make here to take away");
      const programs = clone.programs(...tools.filter((tool) => !without.includes(tool)));
      const { code, stdout, stderr } = await clone.run("build.mjs", [], {
        PATH: programs,
        CXX: undefined,
        PYTHON: undefined,
      });
      assert.equal(code, 1);
      assert.equal(stdout, "");
      const lines = stderr.split("\n").filter((text) => text.trim() !== "" && !text.startsWith("·"));
      assert.equal(lines.length, 2, stderr);
      assert.match(lines[0], message);
      assert.match(lines[1], line);
      assert.doesNotMatch(stderr, /\n\s+at /);
    });
  }

  it("says that a Python is too old as if there were none", async function () {
    if (!hasProgram("g++") || !hasProgram("make")) skip(this, "there is no g++ or no make here");
    const programs = clone.programs(...tools.filter((tool) => tool !== "python3"));
    clone.script(programs, "python3", "echo /old/python3; exit 1");
    const { code, stderr } = await clone.run("build.mjs", [], { PATH: programs, PYTHON: undefined });
    assert.equal(code, 1);
    assert.match(stderr, /Python 3\.9 or newer/);
  });

  it("says that Python lacks its venv module", () => {
    const programs = clone.programs("sh");
    clone.script(programs, "python3", "exit 1");
    assert.throws(() => prerequisites.requireVenv(path.join(programs, "python3")), {
      message: /^python3 has no venv module\./,
      hint: /\S/,
    });
  });

  it("knows the oldest Node.js that works", () => {
    for (const version of ["20.0.0", "22.11.0", "100.1.0"]) prerequisites.requireNode(version);
    for (const version of ["18.20.4", "19.9.0", "8.0.0"])
      assert.throws(() => prerequisites.requireNode(version), {
        message: `One Listener needs Node.js 20 or newer; this is ${version}.`,
        hint: /^nvm install 20/,
      });
  });

  it("says what to use on a system that is not Linux", () => {
    prerequisites.requireLinux("linux");
    for (const platform of ["darwin", "win32"])
      assert.throws(() => prerequisites.requireLinux(platform), {
        message: `One Listener runs only on Linux, and this is ${platform}. Use a Linux virtual machine, a container or WSL 2.`,
      });
  });

  it("names the package manager of the distribution", () => {
    const packages = { debian: "debian-name", fedora: "fedora-name", arch: "arch-name", alpine: "alpine-name" };
    const lines: Record<string, string> = {
      "ID=debian": "sudo apt-get install debian-name",
      "ID=ubuntu ID_LIKE=debian": "sudo apt-get install debian-name",
      'ID=linuxmint ID_LIKE="ubuntu debian"': "sudo apt-get install debian-name",
      "ID=fedora": "sudo dnf install fedora-name",
      'ID=rocky ID_LIKE="rhel centos fedora"': "sudo dnf install fedora-name",
      "ID=arch": "sudo pacman -S arch-name",
      "ID=manjaro ID_LIKE=arch": "sudo pacman -S arch-name",
      "ID=alpine": "sudo apk add alpine-name",
    };
    for (const [release, line] of Object.entries(lines))
      assert.equal(prerequisites.installLine(packages, release), line);
    assert.match(prerequisites.installLine(packages, "ID=nixos"), /debian-name/);
  });
});

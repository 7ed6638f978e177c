import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";

export const projectDir = path.resolve(__dirname, "..", "..", "..");

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A second copy of the project with the same packages, where set-up can be tried without touching this one. */
export class Clone {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), "one-listener-clone-"));

  constructor({ built = true } = {}) {
    for (const name of ["package.json", "package-lock.json", "tsconfig.json", "setup", "src", "native", "exercises"]) {
      cpSync(path.join(projectDir, name), this.path(name), {
        recursive: true,
        preserveTimestamps: true,
        filter: (file) => built || file !== path.join(projectDir, "native", "build"),
      });
    }
    mkdirSync(this.path("node_modules"));
    for (const name of readdirSync(path.join(projectDir, "node_modules"))) {
      // what set-up itself puts there, it must put there
      if (!name.includes("one-listener") || name === ".one-listener-lock")
        symlinkSync(path.join(projectDir, "node_modules", name), this.path("node_modules", name));
    }
  }

  path(...parts: string[]): string {
    return path.join(this.folder, ...parts);
  }

  /** Runs one of the set-up's commands. */
  run(file: string, args: string[] = [], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return runSetup(this.folder, file, args, environment);
  }

  /** A folder of links to the named programs: a PATH that has nothing else. */
  programs(...names: string[]): string {
    const folder = mkdtempSync(this.path("programs-"));
    for (const name of names) {
      const found = (process.env.PATH ?? "")
        .split(path.delimiter)
        .map((each) => path.join(each, name))
        .find((file) => existsSync(file));
      if (found) symlinkSync(found, path.join(folder, name));
    }
    return folder;
  }

  /** A shell script among the programs of `folder`. */
  script(folder: string, name: string, text: string): void {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function runSetup(
  folder: string,
  file: string,
  args: string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(folder, "setup", file), ...args], {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Every file below some folders, with when it was written. */
export function written(...folders: string[]): Map<string, number> {
  const found = new Map<string, number>();
  const walk = (folder: string): void => {
    if (!existsSync(folder)) return;
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) walk(file);
      else if (entry.isFile()) found.set(file, statSync(file).mtimeMs);
    }
  };
  folders.forEach(walk);
  return found;
}

/** Whether a program can be run. */
export function has(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

export function readText(file: string): string {
  return readFileSync(file, "utf8");
}

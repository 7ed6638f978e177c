/** Copies of the project, in which the set-up's commands are tried. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { type Ended, runProgram } from "../fixtures/processes";
import { inProject } from "../fixtures/project";
import { TemporaryFolder } from "../fixtures/temporary-folder";

/** A second copy of the project with the same npm packages. `built`: with its compiled addon. */
export class Clone {
  private readonly temporary = new TemporaryFolder("clone");

  /** The copy's absolute path. */
  get folder(): string {
    return this.temporary.place;
  }

  constructor({ built = true } = {}) {
    for (const name of ["package.json", "package-lock.json", "tsconfig.json", "setup", "src", "native", "exercises"]) {
      cpSync(inProject(name), this.path(name), {
        recursive: true,
        preserveTimestamps: true,
        filter: (file) => built || file !== inProject("native", "build"),
      });
    }
    mkdirSync(this.path("node_modules"));
    for (const name of readdirSync(inProject("node_modules"))) {
      // not what the set-up itself writes there
      if (!name.includes("one-listener") || name === ".one-listener-lock")
        symlinkSync(inProject("node_modules", name), this.path("node_modules", name));
    }
  }

  /** A path inside the copy. */
  path(...parts: string[]): string {
    return this.temporary.path(...parts);
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

  /** Removes the copy. */
  remove(): void {
    this.temporary.remove();
  }
}

/** Runs a command of the set-up of the project in `folder`; `environment` is added to that of this process. */
export function runSetup(
  folder: string,
  file: string,
  args: string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  return runProgram(process.execPath, [path.join(folder, "setup", file), ...args], {
    cwd: folder,
    env: { ...process.env, ...environment },
  });
}

/** The time of the last change of every file below some folders (ms since 1970), by path. */
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

/** The text of a file. */
export function readText(file: string): string {
  return readFileSync(file, "utf8");
}

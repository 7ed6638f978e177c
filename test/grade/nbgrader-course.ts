/** The real nbgrader, in an environment of its own, and courses to try it on. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Ended } from "../fixtures/processes";
import { inProject, projectDir } from "../fixtures/project";
import { TemporaryFolder } from "../fixtures/temporary-folder";

const environment = inProject(".venv-nbgrader");
const version = "0.9.5";

export interface Cell {
  id?: string;
  cell_type: string;
  source: string | string[];
  metadata: Record<string, unknown>;
  outputs?: {
    output_type: string;
    name?: string;
    text?: string | string[];
    data?: Record<string, string | string[]>;
    evalue?: string;
  }[];
  execution_count?: number | null;
}

export interface Notebook {
  cells: Cell[];
  metadata: object;
}

function run(command: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): Ended {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    maxBuffer: 1 << 26,
    env: { ...process.env, ...more },
  });
  return { code: status, stdout, stderr: `${stderr}${error ? error.message : ""}` };
}

/** Installs nbgrader from PyPI into .venv-nbgrader, once. Gives the reason where that cannot be done. */
export function whyNoNbgrader(): string | undefined {
  const python = path.join(environment, "bin", "python");
  const probe = `import nbgrader, sys; sys.exit(nbgrader.__version__ != "${version}")`;
  if (existsSync(python) && run(python, ["-c", probe], projectDir).code === 0) return undefined;
  rmSync(environment, { recursive: true, force: true });
  for (const [command, args] of [
    ["python3", ["-m", "venv", environment]],
    [
      python,
      ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", `nbgrader==${version}`],
    ],
  ] as const) {
    const { code, stderr } = run(command, args, projectDir);
    if (code === 0) continue;
    rmSync(environment, { recursive: true, force: true });
    return `nbgrader ${version} cannot be installed: ${stderr.trim().split("\n").pop()}`;
  }
  return undefined;
}

/** Our own command line. */
export function oneListener(...args: string[]): Ended {
  return run(process.execPath, [inProject("dist", "cli", "main.js"), ...args], projectDir);
}

/** A course of nbgrader's, in a folder of its own. */
export class Course {
  readonly #folder = new TemporaryFolder("course");

  path(...parts: string[]): string {
    return this.#folder.path(...parts);
  }

  release(assignment: string, ...names: string[]): Ended {
    return oneListener("exercise", "release", ...names, "--assignment", assignment, "--out", this.path());
  }

  /** Runs `nbgrader …` in the course, with nothing of the user's own configuration. */
  nbgrader(args: readonly string[], more: NodeJS.ProcessEnv = {}): Ended {
    return this.inEnvironment("nbgrader", args, more);
  }

  python(program: string, ...args: string[]): Ended {
    return this.inEnvironment("python", ["-c", program, ...args]);
  }

  read(...parts: string[]): Notebook {
    return JSON.parse(readFileSync(this.path(...parts), "utf8")) as Notebook;
  }

  submit(student: string, assignment: string, notebook: Notebook): void {
    mkdirSync(this.path("submitted", student, assignment), { recursive: true });
    writeFileSync(this.path("submitted", student, assignment, `${assignment}.ipynb`), JSON.stringify(notebook));
  }

  /** Points by student, from `nbgrader export`. */
  exported(): Record<string, number> {
    const { code, stderr } = this.nbgrader(["export", "--to", "grades.csv"]);
    if (code !== 0) throw new Error(stderr);
    const [head, ...rows] = readFileSync(this.path("grades.csv"), "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(","));
    return Object.fromEntries(rows.map((row) => [row[head.indexOf("student_id")], Number(row[head.indexOf("score")])]));
  }

  remove(): void {
    this.#folder.remove();
  }

  private inEnvironment(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Ended {
    const own = (name: string) => this.path(".jupyter", name);
    return run(path.join(environment, "bin", program), args, this.path(), {
      // nbgrader calls alembic by its name
      PATH: `${path.join(environment, "bin")}${path.delimiter}${process.env.PATH}`,
      JUPYTER_CONFIG_DIR: own("config"),
      JUPYTER_DATA_DIR: own("data"),
      JUPYTER_RUNTIME_DIR: own("runtime"),
      IPYTHONDIR: own("ipython"),
      JUPYTER_PATH: "",
      ...more,
    });
  }
}

/** A cell's text. */
export function textOf(text: string | string[] | undefined): string {
  return [text ?? ""].flat().join("");
}

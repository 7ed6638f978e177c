/** Real servers, if they are installed: they run inside a Lab and are measured like our own. */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { access, constants, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { ArgumentError, LabError, requireInteger } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { Program } from "../lab/program";
import { readTable } from "../listener/sockets-table";
import { programFile } from "./programs";

/** The servers that can be started. */
export const serverNames = ["node http", "python http.server", "go net/http", "nginx"] as const;
/** One of serverNames. */
export type ServerName = (typeof serverNames)[number];

const startTimeout = 15_000;

interface Recipe {
  /** the command that runs it; files go into `directory` */
  prepare(directory: string, port: number): Promise<[command: string, ...args: string[]]>;
}

/**
 * The compiler's cache stays among the project's own files, because without it each start takes a minute. Everything
 * else goes into the server's folder, which is removed.
 */
async function goEnvironment(directory: string): Promise<NodeJS.ProcessEnv> {
  const cache = path.join(__dirname, "..", "..", ".build", "go-cache");
  const writable = await mkdir(cache, { recursive: true })
    .then(() => access(cache, constants.W_OK))
    .then(
      () => true,
      () => false,
    );
  const configuration = process.env.XDG_CONFIG_HOME ?? path.join(os.homedir(), ".config");
  return {
    ...process.env,
    GOCACHE: writable ? cache : path.join(directory, "cache"),
    GOFLAGS: "-mod=mod",
    GO111MODULE: "off",
    // the reader's own settings apply, but go's usage counters are not added to theirs
    GOENV: process.env.GOENV ?? path.join(configuration, "go", "env"),
    XDG_CONFIG_HOME: path.join(directory, "config"),
  };
}

/** nginx has no option for the port, and started by root it would give its worker another user's rights. */
async function nginxConfiguration(port: number): Promise<string> {
  const template = await readFile(programFile("nginx.conf"), "utf8");
  const user = process.getuid?.() === 0 ? "user root;\n" : "";
  return user + template.replaceAll("8080", String(port));
}

const recipes: Record<ServerName, Recipe> = {
  "node http": {
    prepare: async (_, port) => [process.execPath, programFile("http-server.mjs"), String(port)],
  },
  "python http.server": {
    prepare: async (directory, port) => ["python3", "-m", "http.server", String(port), "--directory", directory],
  },
  "go net/http": {
    async prepare(directory, port) {
      try {
        await promisify(execFile)(
          "go",
          ["build", "-o", path.join(directory, "server"), programFile("http-server.go")],
          {
            cwd: directory,
            env: await goEnvironment(directory),
          },
        );
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT")
          throw new LabError('The program "go" is not installed, or not in the PATH.', {
            code: "ENOENT",
            hint: "sudo apt-get install golang-go",
          });
        throw new LabError(`The Go server cannot be built: ${(error as Error).message.split("\n")[1] ?? ""}`, {
          code: "ERR_BUILD",
        });
      }
      return [path.join(directory, "server"), String(port)];
    },
  },
  nginx: {
    async prepare(directory, port) {
      const file = path.join(directory, "nginx.conf");
      await writeFile(file, await nginxConfiguration(port));
      return ["nginx", "-c", file, "-p", directory];
    },
  },
};

/** folders of servers that run: each is removed when its server, its Lab or this process ends */
const folders = new Set<string>();

async function makeFolder(): Promise<string> {
  if (folders.size === 0) process.once("exit", removeFolders);
  const folder = await mkdtemp(path.join(os.tmpdir(), "one-listener-server-"));
  folders.add(folder);
  return folder;
}

function removeFolder(folder: string): void {
  if (!folders.delete(folder)) return;
  rmSync(folder, { recursive: true, force: true });
  if (folders.size === 0) process.off("exit", removeFolders);
}

function removeFolders(): void {
  for (const folder of folders) removeFolder(folder);
}

/** Waits until the program listens. @returns the backlog that it asked for, cut down to somaxconn */
async function backlogOf(host: LabHost, name: ServerName, program: Program, port: number): Promise<number> {
  let errors = "";
  program.stderr.on("data", (part) => (errors = (errors + String(part)).slice(-500)));
  const state = { ended: false };
  void program.exited.then(() => (state.ended = true));
  for (let waited = 0; waited < startTimeout; waited += 10) {
    const listening = readTable(host, { port, states: ["LISTEN"] }).at(0);
    if (listening) return listening.sendQueue;
    if (state.ended)
      throw new LabError(`${name} ended before it listened.`, {
        code: "ECHILD",
        hint: errors.trim() || "It printed no error.",
      });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await program.close();
  throw new LabError(`${name} does not listen on port ${port} after ${startTimeout / 1000} s.`, {
    code: "ETIMEDOUT",
    hint: errors.trim() || "It printed no error.",
  });
}

/** A real server that listens in the Lab. */
export class InstalledServer implements Closable {
  private constructor(
    readonly name: ServerName,
    readonly program: Program,
    readonly port: number,
    /** the backlog that the server asked for, cut down to somaxconn: Send-Q of `ss -ltn` */
    readonly backlog: number,
    private readonly directory: string,
  ) {}

  /**
   * Starts it and waits until it listens.
   * @throws LabError ENOENT: not installed; ERR_BUILD: the Go server does not compile; ETIMEDOUT, ECHILD: it does not listen, with what it printed as the hint;
   *   ArgumentError: the port is in use, …
   */
  static async start(host: LabHost, name: ServerName, port: number): Promise<InstalledServer> {
    if (!(name in recipes))
      throw new ArgumentError(`There is no server "${name}".`, `The servers are: ${serverNames.join(", ")}.`);
    requireInteger(port, "port", 1, 65535);
    if (readTable(host, { port, states: ["LISTEN"] }).length > 0)
      throw new ArgumentError(
        `A socket already listens on port ${port} of this Lab.`,
        "Choose another port, or close that listener first.",
      );
    const directory = await makeFolder();
    try {
      const [command, ...args] = await recipes[name].prepare(directory, port);
      const program = await Program.start(host, command, args);
      void program.exited.then(() => removeFolder(directory));
      return new InstalledServer(name, program, port, await backlogOf(host, name, program, port), directory);
    } catch (error) {
      removeFolder(directory);
      throw error;
    }
  }

  /** Ends the server and removes its folder. Idempotent. */
  async close(): Promise<void> {
    await this.program.close();
    removeFolder(this.directory);
  }

  /** close(), for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

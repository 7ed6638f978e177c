/** Real servers, where they are installed: started inside a Lab and studied like our own. */
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

export const serverNames = ["node http", "python http.server", "go net/http", "nginx"] as const;
export type ServerName = (typeof serverNames)[number];

const startTimeout = 15_000;

interface Recipe {
  /** the command that runs it; files go into `directory` */
  prepare(directory: string, port: number): Promise<[command: string, ...args: string[]]>;
}

/** What the compiler keeps, it keeps among the project's own files (its cache, without which each start takes a minute) or in the server's folder, which goes. */
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
    // the reader's own settings hold, but go's counts of its use are not added to theirs
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

/** folders of servers that run: they go with their server, with its Lab, or with this process, whichever ends first */
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

/** A real server that listens in the Lab. */
export class InstalledServer implements Closable {
  private constructor(
    readonly name: ServerName,
    readonly program: Program,
    readonly port: number,
    /** the backlog it really asked for, cut down to somaxconn: what `ss -ltn` shows as Send-Q */
    readonly backlog: number,
    private readonly directory: string,
  ) {}

  /**
   * Starts it and waits until it listens.
   * @throws LabError ENOENT: not installed; ETIMEDOUT, ECHILD: it does not listen, with what it said; ArgumentError: the port is taken, …
   */
  static async start(host: LabHost, name: ServerName, port: number): Promise<InstalledServer> {
    if (!(name in recipes))
      throw new ArgumentError(`There is no server "${String(name)}".`, `There are: ${serverNames.join(", ")}.`);
    requireInteger(port, "port", 1, 65535);
    if (readTable(host, { port, states: ["LISTEN"] }).length > 0)
      throw new ArgumentError(
        `Somebody listens on port ${port} of this Lab already.`,
        "Choose another port, or close that server first.",
      );
    const directory = await makeFolder();
    try {
      const [command, ...args] = await recipes[name].prepare(directory, port);
      const program = await Program.start(host, command, args);
      void program.exited.then(() => removeFolder(directory));
      let said = "";
      program.stderr.on("data", (part) => (said = (said + String(part)).slice(-500)));
      let ended = false;
      void program.exited.then(() => (ended = true));
      for (let waited = 0; waited < startTimeout; waited += 10) {
        const listening = readTable(host, { port, states: ["LISTEN"] })[0];
        if (listening) return new InstalledServer(name, program, port, listening.sendQueue, directory);
        if (ended)
          throw new LabError(`${name} has ended before it listened: ${said.trim() || "it said nothing"}.`, {
            code: "ECHILD",
          });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await program.close();
      throw new LabError(`${name} does not listen on port ${port}.`, {
        code: "ETIMEDOUT",
        hint: said.trim() || "It said nothing.",
      });
    } catch (error) {
      removeFolder(directory);
      throw error;
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.program.close();
    removeFolder(this.directory);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

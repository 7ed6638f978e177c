/** Real servers, if they are installed: they run inside a Lab and are measured like our own. */
import { rmSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { ArgumentError, LabError, requireInteger } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { Program } from "../lab/program";
import { readTable } from "../listener/sockets-table";
import { buildGoServer } from "./go-build";
import { programFile } from "./programs";

/** The servers that can be started. */
export const serverNames = ["node http", "python http.server", "go net/http", "nginx"] as const;
/** One of serverNames. */
export type ServerName = (typeof serverNames)[number];

const startTimeout = 15_000;

interface Recipe {
  /** the command that runs it; files go into `directory` */
  prepare(directory: string, port: number, host: LabHost): Promise<[command: string, ...args: string[]]>;
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
    prepare: async (directory, port, host) => [await buildGoServer(host, directory), String(port)],
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
      const [command, ...args] = await recipes[name].prepare(directory, port, host);
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

/** Compiles the Go server. The first time the compiler also compiles Go's own packages, which takes a minute or two. */
import { spawn } from "node:child_process";
import { access, constants, mkdir } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { InterruptedError, LabError } from "../errors";
import { killGroup } from "../lab/process-group";
import { findProgram } from "../lab/search-path";
import type { LabHost } from "../lab/host";
import { newDisplayId, notebook } from "../plot/display";
import { progressLine } from "../terminal/progress-line";
import { formatTime } from "../wording/number";
import { programFile } from "./programs";

/** ms after which a build is ended; a first one takes some 100 s on a busy machine of two processors */
export const longestBuild = 600_000;
/** ms until the reader is told that a compiler runs, and between two reports */
const patience = 1000;
/** characters of the compiler's messages that are kept */
const most = 4000;

/**
 * Builds the server into `directory`. It says so under the running cell (outside notebooks on stderr) as long as it takes.
 * The compiler ends with the Lab, and with the cell that started it.
 * @param limit ms
 * @returns the path of the server's program
 * @throws LabError ENOENT: go is not installed; ERR_BUILD: the server does not compile; ETIMEDOUT: it took longer than
 *   `limit`; InterruptedError: the Lab was closed meanwhile
 */
export async function buildGoServer(host: LabHost, directory: string, limit: number = longestBuild): Promise<string> {
  const go = findProgram("go");
  if (go === undefined)
    throw new LabError('The program "go" is not installed, or not in the PATH.', {
      code: "ENOENT",
      hint: "sudo apt-get install golang-go",
    });
  const server = path.join(directory, "server");
  const environment = await goEnvironment(directory);
  await compile(host, go, ["build", "-o", server, programFile("http-server.go")], { directory, environment, limit });
  return server;
}

interface CompileOptions {
  directory: string;
  environment: NodeJS.ProcessEnv;
  /** ms */
  limit: number;
}

async function compile(
  host: LabHost,
  go: string,
  args: string[],
  { directory, environment, limit }: CompileOptions,
): Promise<void> {
  // a process group of its own: the compilers that go starts end with it
  const child = spawn(go, args, {
    cwd: directory,
    env: environment,
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  let messages = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => (messages = (messages + part).slice(0, most)));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  ended.catch(() => undefined);
  let why: "" | "closed" | "late" = "";
  const end = (reason: "closed" | "late") => {
    why ||= reason;
    if (child.exitCode === null) killGroup(child.pid);
  };
  const build = {
    async close() {
      end("closed");
      await ended.catch(() => undefined);
    },
  };
  host.keep(build);
  const timer = setTimeout(end, limit, "late");
  const report = reporting();
  try {
    const status = await ended;
    if (status !== 0) throw failure(why, messages, limit);
  } finally {
    clearTimeout(timer);
    report.end();
    host.drop(build);
  }
}

function failure(why: "" | "closed" | "late", messages: string, limit: number): LabError {
  if (why === "closed") return new InterruptedError("Compiling the Go server");
  if (why === "late")
    return new LabError(`The Go compiler did not finish within ${formatTime(limit)}.`, {
      code: "ETIMEDOUT",
      hint: "Try again when the machine is less busy: what is compiled already is kept.",
    });
  return new LabError(`The Go server cannot be built: ${messages.split("\n")[1] ?? messages}`, { code: "ERR_BUILD" });
}

/** Says that a compiler runs, from its first second on: one text under the running cell, or a line on stderr. */
function reporting(): { end(): void } {
  const send = notebook();
  const transient = { display_id: newDisplayId() };
  const start = performance.now();
  let shown = false;
  const say = (text: string) => {
    if (!send) {
      if (!shown || text === "" || process.stderr.isTTY) progressLine(text);
    } else send({ data: { "text/plain": text }, transient }, shown);
    shown = true;
  };
  const elapsed = () => formatTime(performance.now() - start);
  const timer = setInterval(() => {
    say(`Compiling the Go server (the first time this takes a minute or two): ${elapsed()} …`);
  }, patience);
  timer.unref();
  return {
    end() {
      clearInterval(timer);
      if (shown) say(send ? `The Go compiler ran for ${elapsed()}.` : "");
    },
  };
}

/**
 * The compiler's cache stays among the project's own files, because without it each start takes a minute. Everything else
 * goes into the server's folder, which is removed.
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

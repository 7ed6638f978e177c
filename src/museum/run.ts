/** Runs a program of the machine to its end, with a time limit. */
import { spawn } from "node:child_process";
import { InterruptedError, LabError } from "../errors";
import { killGroup } from "../lab/process-group";

/** How run() runs a program. */
export interface RunOptions {
  /** working directory; default: this process's */
  cwd?: string;
  /** the whole environment; default: this process's */
  env?: NodeJS.ProcessEnv;
  /** ms after which the program is ended; default 60,000 */
  timeout?: number;
  /** ends the program early */
  signal?: AbortSignal | undefined;
}

/** How a program ended. */
export interface RunEnd {
  /** exit status; null: a signal ended it */
  status: number | null;
  stdout: string;
  stderr: string;
}

/** what is kept of each stream, characters: enough for any message */
const most = 1 << 20;

/**
 * @returns how the program ended, whatever its exit status
 * @throws LabError ENOENT, EACCES: it cannot be started; ERR_TIMEOUT: it did not end in time
 * @throws InterruptedError `signal` was aborted
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunEnd> {
  const { cwd, env, timeout = 60_000, signal } = options;
  if (signal?.aborted) throw new InterruptedError(program);
  // a group of its own: a program such as apt has children, which end with it
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (part: string) => {
      if (text[name].length < most) text[name] += part;
    });
  const stopped = { late: false };
  const end = () => {
    killGroup(child.pid);
  };
  const timer = setTimeout(() => {
    stopped.late = true;
    end();
  }, timeout);
  signal?.addEventListener("abort", end);
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (signal?.aborted) throw new InterruptedError(program);
    if (stopped.late)
      throw new LabError(`${program} did not end within ${Math.round(timeout / 1000)} s.`, { code: "ERR_TIMEOUT" });
    return { status, ...text };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof LabError) throw error;
    throw new LabError(`${program} cannot be started: ${code ?? String(error)}.`, {
      code: code ?? "ERR_START",
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

/**
 * Starts the process of a solution. Three things are set here: the command that `wrap` gives (limits, a sandbox), the environment, and the
 * descriptors that the process inherits. It inherits no others, because Node opens its own with O_CLOEXEC.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import path from "node:path";
import type { Readable } from "node:stream";
import type { Bounds, Wrap } from "../bounds";
import { SolutionError } from "../failure";
import { channelFd, withinSolution } from "./messages";

const runner = path.join(__dirname, "runner.js");
/** MB of V8's heap: V8 ends with a message of its own, which says more than SIGKILL */
export const heap = 256;

/** How to start it. */
export interface StartProcess {
  /** gives the command: limits, a sandbox */
  wrap: Wrap;
  /** what the process may use */
  bounds: Bounds;
  /** hard limit of descriptors of the process, in place of that of `bounds` */
  nofile: number;
  /** descriptor of a lab host's guest socket, which becomes descriptor 4 of the process; it is not closed here */
  guest?: number;
}

/** A process that has been started. */
export interface Started {
  /** as Node sees it */
  readonly process: ChildProcess;
  /** in our PID namespace */
  readonly pid: number;
  /** stdout and stderr */
  readonly printed: readonly Readable[];
  /** our end of the link */
  readonly channel: net.Socket;
}

/** @throws SolutionError "exit": the command cannot be started, for example because it is not installed */
export async function startProcess({ wrap, bounds, nofile, guest }: StartProcess): Promise<Started> {
  const command = [process.execPath, `--max-old-space-size=${heap}`, runner];
  const [file = process.execPath, ...args] = wrap(command, { ...bounds, nofile });
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe", "pipe", ...(guest === undefined ? [] : [guest])],
    // nothing of our own environment: it may hold what is not for students
    env: { PATH: process.env.PATH, LANG: "C.UTF-8", [withinSolution]: "1" },
    // a process group of its own, to be killed as a whole
    detached: true,
  });
  try {
    await once(child, "spawn");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new SolutionError("exit", code === "ENOENT" ? `${file} is not installed.` : message);
  }
  const { pid, stdout, stderr } = child;
  const channel = child.stdio[channelFd];
  if (pid === undefined || !stdout || !stderr || !(channel instanceof net.Socket))
    throw new SolutionError("exit", `${file} was started without its pipes.`);
  return { process: child, pid, printed: [stdout, stderr], channel };
}

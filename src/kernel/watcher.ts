/**
 * The kernel's second thread, which hears and acts while the first one is caught in a loop:
 * - an interrupted cell that does not come back is terminated, wherever it is;
 * - a kernel whose Jupyter server has died ends, even in an endless loop.
 */
import { spawn } from "node:child_process";
import inspector from "node:inspector";
import { parentPort, workerData } from "node:worker_threads";

/** Shared with the first thread: index 0 counts its answers, index 1 is 1 while it compiles. */
export interface WatcherData {
  /** the two shared counters; length 2 */
  shared: Int32Array;
  /** the process that started the kernel, 0 if unknown */
  parent: number;
}

const { shared, parent } = workerData as WatcherData;

/** ms that the first thread has to answer before its JavaScript is terminated */
const patience = 300;
const attempts = 20;
const parentPeriod = 1000;

/** shells that may end before the watcher gives up and leaves interrupts to tslab */
const mostShells = 10;

/**
 * A signal is delivered to the first thread's event loop, which may be stuck. But Jupyter signals the whole process
 * group, and this shell is in it. It ends when its stdin closes: with the kernel, however that dies. If something else
 * ends it, another one takes its place.
 */
function listen(started: number): void {
  const shell = spawn(
    "/bin/sh",
    ["-c", 'trap "echo; heard=1" INT; while heard=; read -r _ || [ "$heard" ]; do :; done'],
    { stdio: ["pipe", "pipe", "ignore"] },
  );
  const deaf = () => parentPort?.postMessage("deaf");
  shell.on("error", deaf).on("exit", (_, signal) => {
    if (signal === "SIGINT") heard(); // before it had set its trap
    if (started < mostShells) listen(started + 1);
    else deaf();
  });
  shell.stdout.on("data", heard);
}
listen(1);

function heard(): void {
  const before = Atomics.load(shared, 0);
  parentPort?.postMessage("there?");
  setTimeout(() => {
    check(before, 0);
  }, patience);
}

function check(before: number, attempt: number): void {
  if (Atomics.load(shared, 0) !== before || attempt >= attempts) return;
  if (Atomics.load(shared, 1) === 0) terminate();
  setTimeout(() => check(before, attempt + 1), patience);
}

function terminate(): void {
  const session = new inspector.Session();
  session.connectToMainThread();
  session.post("Runtime.terminateExecution", () => session.disconnect());
}

if (parent > 0) {
  const direct = process.ppid === parent;
  setInterval(() => {
    if (direct ? process.ppid === parent : alive(parent)) return;
    process.kill(process.pid, "SIGTERM");
    setTimeout(() => process.kill(process.pid, "SIGKILL"), parentPeriod);
  }, parentPeriod);
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

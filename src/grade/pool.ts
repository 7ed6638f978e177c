/** Checks in several processes at once. */
import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import type { CheckResult } from "../exercise/result";
import type { Solution } from "./submission";

/** One check to be run, as it is sent to a worker process. */
export interface Job {
  /** its name */
  exercise: string;
  /** what the student submitted */
  solution: Solution;
  /** runs of a solution that misses a test; the best counts */
  tries: number;
  /** ms that one of its processes may live */
  time: number;
}

/** What a worker process answers. */
export interface Done {
  /** undefined: the check could not be carried out */
  result?: CheckResult;
  /** why the check could not be carried out */
  failure?: string;
  /** the process is not to be used again */
  spent?: boolean;
}

/** ms; a check that takes longer is broken off, and its process with it */
const longest = 240_000;

/** Worker processes that run checks, and the jobs that wait for them. */
export class Pool {
  private readonly idle: ChildProcess[] = [];
  private readonly busy = new Set<ChildProcess>();
  private readonly queue: (() => void)[] = [];
  private closed = false;

  /** @param size worker processes at the same time */
  constructor(private readonly size: number) {}

  /** Runs a job as soon as a worker process is free. Never rejects: `failure` says why there is no result. */
  async run(job: Job): Promise<Done> {
    while (this.busy.size >= this.size && !this.closed) await new Promise<void>((resolve) => this.queue.push(resolve));
    if (this.closed) return { failure: "the grader was stopped" };
    const worker = this.idle.pop() ?? startWorker();
    this.busy.add(worker);
    const done = await new Promise<Done>((resolve) => {
      const timer = setTimeout(() => {
        worker.kill("SIGKILL");
        finish({ failure: `the check took longer than ${longest / 1000} s` });
      }, longest);
      const onExit = (code: number | null, signal: string | null) =>
        finish({ failure: `the check's process ended (${signal ?? code})` });
      const onError = (error: Error) =>
        finish({ failure: `the check's process cannot be reached: ${error.message}`, spent: true });
      const finish = (answer: Done) => {
        clearTimeout(timer);
        worker.off("exit", onExit).off("message", finish).off("error", onError);
        resolve(answer);
      };
      worker.once("exit", onExit).once("message", finish).once("error", onError);
      worker.send(job);
    });
    this.release(worker, done);
    return done;
  }

  /** Keeps a process for the next job, or ends it; then the next job in the queue may run. */
  private release(worker: ChildProcess, { spent = false }: Done): void {
    this.busy.delete(worker);
    if (!spent && worker.connected && worker.exitCode === null && !worker.killed && !this.closed)
      this.idle.push(worker);
    else if (worker.connected) worker.disconnect();
    else worker.kill("SIGKILL");
    this.queue.shift()?.();
  }

  /** Ends all processes; jobs that run are given up. */
  close(): void {
    this.closed = true;
    for (const worker of this.idle) worker.disconnect();
    for (const worker of this.busy) worker.kill("SIGTERM");
    for (const waiting of this.queue.splice(0)) waiting();
  }
}

function startWorker(): ChildProcess {
  const worker = fork(path.join(__dirname, "worker.js"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  // a process that dies while it is idle is noticed at its next job
  return worker.on("error", () => undefined);
}

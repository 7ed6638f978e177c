/** Runs a student's function in this process: quick, and a student's own `console.log` shows. For notebooks, where nobody is graded. */
import { setTimeout as wait } from "node:timers/promises";
import { Lab } from "../front-door";
import { native } from "../native";
import type { Attempt, Running, StartOptions, TaskEvent } from "./attempt";
import { quoted, SolutionError } from "./story";

/** ms that a function has to return after its signal was aborted */
const patience = 2000;

/** `(lab, task)`, or `(task)` where there is no Lab */
export type Solution = (...labAndTask: never[]) => unknown;
type Called = (...labAndTask: unknown[]) => unknown;

export class InProcess implements Attempt {
  readonly output = "";
  private readonly all: InProcessRun<unknown>[] = [];

  /** @param timeLimit ms for each run */
  constructor(private readonly solution: Called, private readonly timeLimit: number) {}

  async start<Answer>(lab: Lab | undefined, task: object, options: StartOptions): Promise<Running<Answer>> {
    const guest = lab && (await Lab.join(await lab.guest(options.rights)));
    const run = new InProcessRun<Answer>(this.solution, guest, task, options, this.timeLimit);
    this.all.push(run);
    return run;
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((run) => run.stop()));
  }
}

class InProcessRun<Answer> implements Running<Answer> {
  readonly answer: Promise<Answer>;
  readonly events: TaskEvent[] = [];
  running = true;
  private readonly abort = new AbortController();
  private ending?: Promise<void>;

  constructor(solution: Called, private readonly lab: Lab | undefined, task: object, { events = [] }: StartOptions, timeLimit: number) {
    const reports = Object.fromEntries(events.map((name) => [name, (value?: unknown) => void this.events.push({ name, time: native.now(), value: plain(value) })]));
    const whole = { ...(plain(task) as object), ...reports, signal: this.abort.signal };
    const returned = (async () => (lab ? solution(lab, whole) : solution(whole)))();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new SolutionError("time", `It had not returned after ${timeLimit / 1000} s.`)), timeLimit);
      timer.unref();
    });
    this.answer = Promise.race([returned, late])
      .then((value) => plain(value) as Answer, (error: unknown) => {
        throw error instanceof SolutionError ? error : new SolutionError("threw", `It threw: ${quoted(error instanceof Error ? error.message : error)}`);
      })
      .finally(() => {
        this.running = false;
        clearTimeout(timer);
      });
    this.answer.catch(() => undefined);
  }

  stop(): Promise<void> {
    return (this.ending ??= this.end());
  }

  cpu(): undefined {
    return undefined;
  }

  private async end(): Promise<void> {
    this.abort.abort();
    await Promise.race([this.answer.catch(() => undefined), wait(patience, undefined, { ref: false })]);
    await this.lab?.close();
  }
}

/** As it would arrive from another process. */
function plain(value: unknown): unknown {
  if (value === undefined) return undefined;
  try {
    return JSON.parse(JSON.stringify(value) ?? "null");
  } catch (error) {
    throw new SolutionError("answer", `What it returned cannot be written as JSON: ${quoted((error as Error).message)}`);
  }
}

/** One process that runs a student's function: its start, its link, its bounds, its output and its end, put together. */
import { setTimeout as wait } from "node:timers/promises";
import type { Bounds } from "../bounds";
import type { Running } from "../attempt";
import { SolutionError } from "../failure";
import type { Fate } from "../result";
import { Calls } from "./calls";
import { killAll, whyEnded } from "./end";
import { Link } from "./link";
import type { FromSolution } from "./messages";
import { Output } from "./output";
import { startProcess, type Started, type StartProcess } from "./start";
import { notReady, Supervision } from "./supervision";

/** ms to load a solution, at most */
const startPatience = 15_000;
/** ms to return after the signal was aborted */
const stopPatience = 2000;

/** How to start it. */
export interface SolutionProcessOptions extends StartProcess {
  /** takes each text that it prints */
  print(text: string): void;
}

/** A process of its own for a student's function. */
export class SolutionProcess {
  private readonly calls = new Calls();
  private readonly link: Link;
  private readonly output: Output;
  private readonly supervision: Supervision;
  private readonly exited: Promise<void>;
  private loading?: { resolve(): void; reject(error: Error): void };
  private failure?: SolutionError;
  private running = true;

  /** Starts a process that has no solution yet. @throws SolutionError it cannot be started */
  static async start(options: SolutionProcessOptions): Promise<SolutionProcess> {
    return new SolutionProcess(await startProcess(options), options.bounds, (text) => {
      options.print(text);
    });
  }

  private constructor(
    private readonly started: Started,
    private readonly bounds: Bounds,
    print: (text: string) => void,
  ) {
    const end = (fate: Fate, sentence: string) => {
      this.kill(fate, sentence);
    };
    this.output = new Output(started.printed, bounds.output, print, () => {
      end("output", `It printed more than ${Math.round(bounds.output / 1024)} KiB.`);
    });
    this.link = new Link(started.channel, {
      message: (message) => {
        this.take(message);
      },
      refused: (sentence) => {
        end("answer", sentence);
      },
    });
    this.supervision = new Supervision(started.pid, bounds, end);
    this.exited = new Promise((resolve) => {
      started.process.once("exit", (code, signal) => {
        this.ended(code, signal);
        resolve();
      });
    });
  }

  /** Whether the process has not ended. */
  get alive(): boolean {
    return this.running;
  }

  /** Loads a solution, once. @param name of its function @throws SolutionError there is no such function, or its module throws or does not end */
  async load(javascript: string, name: string): Promise<void> {
    if (this.failure) throw this.failure;
    const loaded = new Promise<void>((resolve, reject) => (this.loading = { resolve, reject }));
    this.link.say({ type: "solution", javascript, name });
    const patience = Math.min(startPatience, this.bounds.time);
    const timer = setTimeout(() => {
      this.kill("time", notReady(patience));
    }, patience);
    try {
      await loaded;
    } finally {
      clearTimeout(timer);
    }
    this.supervision.loaded();
  }

  /** Calls the function. @param lab whether it gets a Lab @param events functions of the task that report */
  call(lab: boolean, task: object, events: readonly string[]): Running {
    const call = this.calls.begin(events);
    if (this.failure) this.calls.fail(this.failure);
    else this.link.say({ type: "call", id: call.id, lab, task, events });
    const runs = () => this.running && this.calls.runs(call.id);
    return {
      answer: call.answer,
      events: call.events,
      get running() {
        return runs();
      },
      stop: async () => {
        if (!runs()) return;
        this.link.say({ type: "stop", id: call.id });
        await Promise.race([call.answer.catch(() => undefined), wait(stopPatience, undefined, { ref: false })]);
      },
      cpu: () => this.supervision.cpu(),
    };
  }

  /** Ends the process, if it has not ended. Idempotent. */
  async close(): Promise<void> {
    this.kill("stopped", "The check has ended.");
    await this.exited;
    this.output.close();
    this.link.close();
  }

  private take(message: FromSolution): void {
    if (message.type === "ready") this.loading?.resolve();
    else if (message.type === "missing") this.loading?.reject(new SolutionError("missing", message.message));
    else this.calls.take(message);
  }

  private kill(fate: Fate, sentence: string): void {
    if (!this.running) return;
    this.fail(fate, sentence);
    killAll(this.started.pid);
  }

  /** The first failure counts: what follows is its consequence. */
  private fail(fate: Fate, sentence: string): void {
    this.failure ??= new SolutionError(fate, sentence);
    this.loading?.reject(this.failure);
    this.calls.fail(this.failure);
  }

  private ended(code: number | null, signal: NodeJS.Signals | null): void {
    this.supervision.stop();
    this.running = false;
    const { fate, sentence } = whyEnded(code, signal, this.output.lastWords);
    this.fail(fate, sentence);
  }
}

/** A student's function, run in processes of its own with bounds on time, memory, processes, descriptors and output. */
import type { Lab } from "../front-door";
import { native } from "../native";
import type { Attempt, Running, StartOptions } from "./attempt";
import { bare, defaultBounds, type Bounds, type Wrap } from "./bounds";
import { SolutionError } from "./failure";
import { SolutionProcess } from "./process/solution-process";

/** characters of what was printed that are kept: the beginning */
const kept = 16_384;

/** A solution that has been compiled. */
export interface CompiledSolution {
  /** a CommonJS module */
  javascript: string;
  /** name of its function */
  name: string;
}

/** Runs a solution in processes of its own: one for each call with a Lab, and one for all calls without. */
export class InProcess implements Attempt {
  private readonly processes: SolutionProcess[] = [];
  /** the process of the calls without a Lab: they share nothing that one of them could change for another */
  private shared?: Promise<SolutionProcess>;
  private printed = "";
  private closed = false;

  constructor(
    private readonly solution: CompiledSolution,
    private readonly wrap: Wrap = bare,
    private readonly bounds: Bounds = defaultBounds,
  ) {}

  /** The beginning of what its processes have printed: 16,384 characters at most. */
  get output(): string {
    return this.printed;
  }

  /** Starts the function, in a new process if there is a Lab. @throws SolutionError it cannot be started or loaded */
  async start(lab: Lab | undefined, task: object, options: StartOptions): Promise<Running> {
    const { rights, nofile, events = [] } = options;
    if (!lab && nofile === undefined) return (await this.sharedProcess()).call(false, task, events);
    const guest = await lab?.guest(rights);
    return (await this.newProcess(nofile, guest)).call(lab !== undefined, task, events);
  }

  /** Ends all processes. Idempotent. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.processes.map((each) => each.close()));
  }

  private async sharedProcess(): Promise<SolutionProcess> {
    this.shared ??= this.newProcess();
    // a solution that could not be loaded fails each call in the same way
    if (!(await this.shared).alive) this.shared = this.newProcess();
    return this.shared;
  }

  /** Starts a process and loads the solution. @param guest descriptor for the process; it is closed here, also when the start fails */
  private async newProcess(nofile = this.bounds.nofile, guest?: number): Promise<SolutionProcess> {
    let started: SolutionProcess;
    try {
      this.requireOpen();
      started = await SolutionProcess.start({
        wrap: this.wrap,
        bounds: this.bounds,
        nofile,
        ...(guest !== undefined && { guest }),
        print: (text) => {
          if (this.printed.length < kept) this.printed = (this.printed + text).slice(0, kept);
        },
      });
    } finally {
      // the process has inherited it
      if (guest !== undefined) native.close(guest);
    }
    this.processes.push(started);
    if (this.closed) await started.close();
    this.requireOpen();
    await started.load(this.solution.javascript, this.solution.name);
    return started;
  }

  private requireOpen(): void {
    if (this.closed) throw new SolutionError("stopped", "The check has ended.");
  }
}

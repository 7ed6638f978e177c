import { EventEmitter } from "node:events";
import type { CellEvent } from "../lab/owned";

/** Why a cell failed, as the Jupyter protocol tells it. */
export interface Failure {
  ename: string;
  evalue: string;
  traceback: string[];
}

/** Thrown out of every pending await of a cell that is interrupted. */
export class Interrupted extends Error {
  constructor() {
    super("You stopped this cell.");
    this.name = "Interrupted";
  }
}

/** What one cell said to JavaScript: kept for the tracebacks of functions that later cells call. */
export interface CellCode {
  source: string;
  /** as tslab compiled it */
  javascript: string;
}

const codeByCount = new Map<number, CellCode>();

/** The code behind the file name `In[count]` in a stack. */
export function cellCode(count: number): CellCode | undefined {
  return codeByCount.get(count);
}

let running: Cell | undefined;

/** The cell that runs now. */
export function runningCell(): Cell | undefined {
  return running;
}

/** One execution of one cell. */
export class Cell {
  /** N of In[N], once it has begun */
  count = 0;
  failure: Failure | undefined;
  interrupted = false;
  private readonly pending = new Set<(reason: unknown) => void>();

  constructor(
    readonly id: string,
    readonly source: string,
  ) {}

  async begin(count: number): Promise<void> {
    this.count = count;
    running = this;
    await announce("start", this.id);
  }

  compiled(javascript: string): void {
    codeByCount.set(this.count, { source: this.source, javascript });
  }

  async end(): Promise<void> {
    running = undefined;
    if (!this.interrupted) await announce(this.failure ? "error" : "end", this.id);
  }

  /** The library stops its threads first; then every await that the cell is in throws Interrupted. */
  interrupt(): void {
    if (this.interrupted) return;
    this.interrupted = true;
    void announce("interrupt", this.id);
    for (const reject of this.pending) reject(new Interrupted());
    this.pending.clear();
  }

  /** `value`, or Interrupted as soon as the cell is interrupted; `failed` sees what it is rejected with. */
  untilInterrupt<T>(value: T | PromiseLike<T>, failed?: (error: unknown) => void): Promise<T> {
    // once is enough: what follows are its finally blocks, which may await
    if (this.interrupted) return Promise.resolve(value);
    return new Promise((resolve, reject) => {
      this.pending.add(reject);
      Promise.resolve(value).then(
        (result) => {
          this.pending.delete(reject);
          resolve(result);
        },
        (error) => {
          this.pending.delete(reject);
          failed?.(error);
          reject(error);
        },
      );
    });
  }
}

/** ms that a library may take to tidy up between two cells */
const patience = 5000;

/** Tells the library (src/lab/owned.ts), which may ask to be waited for. */
async function announce(phase: CellEvent["phase"], cellId: string): Promise<void> {
  const waits: Promise<unknown>[] = [];
  const event: CellEvent & { wait(tidying: Promise<unknown>): void } = { phase, cellId, wait: (tidying) => void waits.push(tidying) };
  try {
    (process as EventEmitter).emit("one-listener:cell", event);
  } catch (error) {
    console.error("While tidying up around a cell:", error);
  }
  if (waits.length === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise((resolve) => (timer = setTimeout(resolve, patience)));
  await Promise.race([Promise.allSettled(waits), enough]);
  clearTimeout(timer);
}

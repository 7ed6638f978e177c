import type { CellEvent, CellListener, CellRun } from "./hook";

/** Why a cell failed, in the fields of the Jupyter protocol's error message. */
export interface Failure {
  /** the error's name */
  ename: string;
  /** its message */
  evalue: string;
  /** lines that are shown under the cell, with ANSI colours */
  traceback: string[];
}

/** Thrown out of every pending await of a cell that is interrupted. */
export class Interrupted extends Error {
  constructor() {
    super("You stopped this cell.");
    this.name = "Interrupted";
  }
}

/** The code of one run, kept for the tracebacks of functions that later cells call. */
export interface CellCode {
  /** TypeScript, as in the cell */
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
/** the one that runs or ran last */
let latest: Cell | undefined;
const listeners: CellListener[] = [];

function setRunning(cell: Cell): void {
  running = cell;
  latest = cell;
}

/** The cell that runs now. */
export function runningCell(): Cell | undefined {
  return running;
}

/**
 * See KernelHook.run. An AsyncLocalStorage would tell more, but with one in use Node ends a process whose endless loop
 * was terminated.
 */
export function latestRun(): CellRun | undefined {
  return latest;
}

/** See KernelHook.onCell. */
export function onCell(listener: CellListener): void {
  listeners.push(listener);
}

/** One execution of one cell. */
export class Cell implements CellRun {
  /** N of In[N], once it has begun */
  count = 0;
  /** why it failed; undefined if it did not */
  failure: Failure | undefined;
  /** the reader has interrupted it */
  interrupted = false;
  private readonly pending = new Set<(reason: unknown) => void>();
  private tidying: Promise<void> | undefined;

  /** A run that has not begun. */
  constructor(
    /** see CellRun.id */
    readonly id: string,
    /** TypeScript of the cell */
    readonly source: string,
  ) {}

  /** Resolves when all that the cell's last run opened is closed, or when the reader interrupts. */
  async begin(count: number): Promise<void> {
    this.count = count;
    setRunning(this);
    await this.untilInterrupt(announce({ phase: "start", run: this })).catch(ignoreInterrupt);
  }

  /** Remembers the JavaScript of this run, for tracebacks. */
  compiled(javascript: string): void {
    codeByCount.set(this.count, { source: this.source, javascript });
  }

  /** Resolves when all that must be closed before the next cell is closed. */
  async end(): Promise<void> {
    running = undefined;
    await (this.tidying ?? announce({ phase: this.failure ? "error" : "end", run: this }));
  }

  /** The library stops its threads first; then every await that the cell is in throws Interrupted. */
  interrupt(): void {
    if (this.interrupted) return;
    this.interrupted = true;
    this.tidying = announce({ phase: "interrupt", run: this });
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
        (error: unknown) => {
          this.pending.delete(reject);
          failed?.(error);
          // whatever it is: the cell gets what it would have got
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it came
          reject(error);
        },
      );
    });
  }
}

/** ms after which a message tells the reader what the Jupyter kernel waits for */
const silence = 3000;
/** ms after which the Jupyter kernel goes on, so that a close() that never ends does not block the notebook */
const patience = 30_000;

/** Calls all listeners at the same time, and waits for them. */
async function announce(event: CellEvent): Promise<void> {
  const told = Promise.all(listeners.map((listener) => tell(listener, event)));
  const notice = setTimeout(() => console.error("Waiting until what an earlier run has opened is closed …"), silence);
  let giveUp: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    giveUp = setTimeout(() => {
      console.error(
        `It is not closed after ${patience / 1000} s. The notebook goes on; if a port stays in use, restart the Jupyter kernel.`,
      );
      resolve();
    }, patience);
  });
  await Promise.race([told, enough]);
  clearTimeout(notice);
  clearTimeout(giveUp);
}

async function tell(listener: CellListener, event: CellEvent): Promise<void> {
  try {
    await listener(event);
  } catch (error) {
    console.error("While closing what a cell has opened:", error);
  }
}

function ignoreInterrupt(error: unknown): void {
  if (!(error instanceof Interrupted)) throw error;
}

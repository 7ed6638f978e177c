import { Interrupted, runningCell, type Cell, type Failure } from "./cell";
import { guardedConverters } from "./cell-converter";
import { describeDiagnostics, describeError } from "./traceback";
import type { CellConsole, Converted, CreateExecutor, Executor } from "./tslab";
import type { Watch } from "./watch";

/** TypeScript of the cells that have run without an error, the last few hundred: a check needs a function's source. */
export const sources: string[] = [];
const mostSources = 500;

/** The errors of one execution so far. */
interface Account {
  /** what the cell threw, in a box: it may throw undefined */
  thrown?: { value: unknown };
  diagnostics: Converted["diagnostics"];
}

/** tslab's executor, which prints what goes wrong, turned into one that notes it in the running Cell. */
export function cellExecutor(createExecutor: CreateExecutor, flag: Watch): CreateExecutor {
  return (rootDir, converters) => {
    let account: Account = { diagnostics: [] };
    const cellConsole: CellConsole = {
      log: (...values) => console.log(...values),
      error: (...values) => {
        if (values.length === 1) account.thrown = { value: values[0] };
        // what convert() found goes into the failure; the rest concerns a cell marked @module, which is registered all
        // the same
        else if (account.diagnostics.length === 0) console.error(...values);
      },
    };
    const watched = guardedConverters(converters, flag, (diagnostics) => (account.diagnostics = diagnostics));
    const executor = createExecutor(rootDir, watched, cellConsole);

    async function execute(source: string): Promise<boolean> {
      const cell = runningCell();
      if (!cell) return executor.execute(source);
      account = { diagnostics: [] };
      const ok = await run(cell, source);
      if (ok && !cell.interrupted) {
        sources.push(source);
        if (sources.length > mostSources) sources.shift();
        return true;
      }
      cell.failure = failureOf(cell, account);
      return false;
    }

    /**
     * On a turn of its own, raced: if the watcher terminates it, no other code is terminated with it, and this goes on.
     */
    async function run(cell: Cell, source: string): Promise<boolean> {
      // the reader interrupted while the cell waited for the end of its last run
      if (cell.interrupted) return false;
      const executed = new Promise<boolean>((resolve, reject) => {
        setImmediate(() => {
          if (!cell.interrupted) executor.execute(source).then(resolve, reject);
        });
      });
      try {
        return await cell.untilInterrupt(executed);
      } catch (error) {
        account.thrown = { value: error };
        return false;
      }
    }

    function interrupt(): void {
      runningCell()?.interrupt();
      executor.interrupt();
    }

    return Object.assign(Object.create(executor) as Executor, { execute, interrupt });
  };
}

function failureOf(cell: Cell, { thrown, diagnostics }: Account): Failure {
  const { code } = (thrown?.value ?? {}) as { code?: unknown };
  // by vm's breakOnSigint, where the watcher did not hear the interrupt
  if (code === "ERR_SCRIPT_EXECUTION_INTERRUPTED") cell.interrupt();
  if (cell.interrupted) return describeError(new Interrupted());
  if (diagnostics.length > 0) return describeDiagnostics(diagnostics, cell);
  return describeError(thrown?.value);
}

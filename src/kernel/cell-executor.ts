import { guardAwaits } from "./await-guard";
import { Interrupted, runningCell } from "./cell";
import type { Cell } from "./cell";
import { expandShorthand } from "./shorthand";
import { describeDiagnostics, describeError } from "./traceback";
import type { Watch } from "./watch";
import type { CellConsole, Converted, Converter, ConverterSet, CreateExecutor, Executor } from "./tslab";

/** What has been run without an error, for those who need a function's source: the last few hundred cells. */
export const sources: string[] = [];
const mostSources = 500;

/**
 * tslab's executor, which prints what goes wrong, turned into one that notes it in the running Cell.
 */
export function cellExecutor(createExecutor: CreateExecutor, flag: Watch): CreateExecutor {
  return (rootDir, converters, console) => {
    let said: { thrown: unknown } | undefined;
    let diagnostics: Converted["diagnostics"] = [];

    const converter = (of: Converter): Converter => {
      const spared = Object.create(of) as Record<string, unknown>;
      for (const name of ["convert", "inspect", "complete", "addModule"] as const) {
        const original = (of as unknown as Record<string, (...args: unknown[]) => unknown>)[name];
        spared[name] = (...args: unknown[]) => {
          flag.compiling(true);
          try {
            return original.apply(of, args);
          } finally {
            flag.compiling(false);
          }
        };
      }
      const convert = spared.convert as Converter["convert"];
      spared.convert = (earlier: string, source: string): Converted => {
        const converted = convert(earlier, expandShorthand(source));
        const cell = runningCell();
        diagnostics = converted.diagnostics;
        if (converted.output && cell) {
          cell.compiled(converted.output);
          const { javascript, awaitsAtTop } = guardAwaits(converted.output, cell.count);
          converted.hasToplevelAwait ||= awaitsAtTop;
          // the name that its frames have in a stack
          converted.output = `${javascript}\n//# sourceURL=In[${cell.count}]`;
        }
        return converted;
      };
      return spared as unknown as Converter;
    };

    // lazily, as tslab does: the converter for the browser costs a second
    let node: Converter | undefined;
    let browser: Converter | undefined;
    const watched: ConverterSet = {
      get node() {
        return (node ??= converter(converters.node));
      },
      get browser() {
        return (browser ??= converter(converters.browser));
      },
      close: () => converters.close(),
    };

    const cellConsole: CellConsole = {
      log: (...values) => console.log(...values),
      error: (...values) => {
        if (values.length === 1) said = { thrown: values[0] };
        // what convert() found goes into the failure; the rest concerns a cell marked @module, which is registered all the same
        else if (diagnostics.length === 0) console.error(...values);
      },
    };

    const executor = createExecutor(rootDir, watched, cellConsole);

    async function execute(source: string): Promise<boolean> {
      const cell = runningCell();
      if (!cell) return executor.execute(source);
      said = undefined;
      diagnostics = [];
      let ok = false;
      // interrupted while it waited for the end of its last run
      if (cell.interrupted) {
        cell.failure = failureOf(cell, said, diagnostics);
        return false;
      }
      try {
        // on a turn of its own, raced: if the watcher terminates it, nobody else's code goes with it, and this goes on
        ok = await cell.untilInterrupt(
          new Promise<boolean>(
            (resolve, reject) =>
              void setImmediate(() => {
                if (!cell.interrupted) executor.execute(source).then(resolve, reject);
              }),
          ),
        );
      } catch (error) {
        said = { thrown: error };
      }
      if (ok && !cell.interrupted) {
        sources.push(source);
        if (sources.length > mostSources) sources.shift();
        return true;
      }
      cell.failure = failureOf(cell, said, diagnostics);
      return false;
    }

    function interrupt(): void {
      runningCell()?.interrupt();
      executor.interrupt();
    }

    return Object.assign(Object.create(executor) as Executor, { execute, interrupt });
  };
}

function failureOf(
  cell: Cell,
  said: { thrown: unknown } | undefined,
  diagnostics: Converted["diagnostics"],
): NonNullable<Cell["failure"]> {
  const code = (said?.thrown as { code?: unknown } | undefined)?.code;
  // vm's breakOnSigint, where the watcher is deaf
  if (code === "ERR_SCRIPT_EXECUTION_INTERRUPTED") cell.interrupt();
  if (cell.interrupted) return describeError(new Interrupted());
  if (diagnostics.length > 0) return describeDiagnostics(diagnostics, cell);
  return describeError(said?.thrown);
}

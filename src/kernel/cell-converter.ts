import { guardAwaits } from "./await-guard";
import { inspectCall } from "./call-options";
import { runningCell } from "./cell";
import { expandShorthand } from "./shorthand";
import type { Converted, Converter, ConverterSet } from "./tslab";
import type { Watch } from "./watch";

/** Calls `work` and tells the watcher that the compiler works: terminating the compiler would make it unusable. */
function whileCompiling<T>(flag: Watch, work: () => T): T {
  flag.compiling(true);
  try {
    return work();
  } finally {
    flag.compiling(false);
  }
}

/**
 * tslab's converter, whose JavaScript can be interrupted at each await and has a name in stacks.
 * @param note gets what the compiler found in a cell
 */
function guarded(of: Converter, flag: Watch, note: (diagnostics: Converted["diagnostics"]) => void): Converter {
  const own: Partial<Converter> = {
    convert(earlier, source) {
      const converted = whileCompiling(flag, () => of.convert(earlier, expandShorthand(source)));
      note(converted.diagnostics);
      const cell = runningCell();
      if (!converted.output || !cell) return converted;
      cell.compiled(converted.output);
      const { javascript, awaitsAtTop } = guardAwaits(converted.output, cell.count);
      converted.hasToplevelAwait ||= awaitsAtTop;
      converted.output = `${javascript}\n//# sourceURL=In[${cell.count}]`;
      return converted;
    },
    inspect: (...given) => whileCompiling(flag, () => inspectCall(of, ...given)),
    complete: (...given) => whileCompiling(flag, () => of.complete(...given)),
    addModule: (...given) => whileCompiling(flag, () => of.addModule(...given)),
  };
  return Object.assign(Object.create(of) as Converter, own);
}

/** Both converters, each made when it is first asked for, as tslab does: the one for the browser takes a second. */
export function guardedConverters(
  of: ConverterSet,
  flag: Watch,
  note: (diagnostics: Converted["diagnostics"]) => void,
): ConverterSet {
  let node: Converter | undefined;
  let browser: Converter | undefined;
  return {
    get node() {
      return (node ??= guarded(of.node, flag, note));
    },
    get browser() {
      return (browser ??= guarded(of.browser, flag, note));
    },
    close: () => of.close(),
  };
}

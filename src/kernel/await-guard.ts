import { runningCell } from "./cell";
import { compiler, type Node } from "./compiler";

/**
 * Makes every `await` in a cell end when the cell is interrupted. tslab gives up waiting for an interrupted cell, but
 * its code would go on unseen: `for (;;) { await burst(); }` would open connections in an endless
 * loop.
 */

/** A name that no reader chooses. */
const guardName = "__untilInterrupt";
const eachName = "__eachUntilInterrupt";

/** A cell whose awaits end when the cell is interrupted. */
export interface Guarded {
  /** the same, line for line, with each `await x` turned into `await guard(x)` */
  javascript: string;
  /** `await` outside any function; tslab overlooks it in `for await` and in `await (await x).y()` */
  awaitsAtTop: boolean;
}

/** @param count N of In[N], for tracebacks */
export function guardAwaits(javascript: string, count = 0): Guarded {
  if (!/\bawait\b/.test(javascript)) return { javascript, awaitsAtTop: false };
  const ts = compiler();
  // an async function around it, as tslab will put one there, makes `await` a keyword
  const before = "async function cell() { ";
  const file = ts.createSourceFile(
    "cell.js",
    `${before}${javascript}\n}`,
    ts.ScriptTarget.Latest,
    false,
    ts.ScriptKind.JS,
  );
  const inserts: { at: number; text: string; order: number }[] = [];
  const wrap = (expression: Node, call: string) => {
    const start = expression.getStart(file);
    const line = file.getLineAndCharacterOfPosition(start).line + 1;
    // calls that end at the same place end from the inside out
    inserts.push(
      { at: start, text: `${call}(`, order: 0 },
      { at: expression.getEnd(), text: `, ${count}, ${line})`, order: -inserts.length },
    );
  };
  let awaitsAtTop = false;
  const visit = (node: Node, depth: number): void => {
    const inside = ts.isFunctionLike(node) ? depth + 1 : depth;
    const each = ts.isForOfStatement(node) && node.awaitModifier !== undefined;
    if (ts.isAwaitExpression(node)) wrap(node.expression, guardName);
    else if (ts.isForOfStatement(node) && each) wrap(node.expression, eachName);
    if (depth === 1 && (each || ts.isAwaitExpression(node))) awaitsAtTop = true;
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  visit(file, 0);
  if (inserts.length === 0) return { javascript, awaitsAtTop };
  inserts.sort((a, b) => a.at - b.at || a.order - b.order);
  let result = "";
  let from = before.length;
  for (const { at, text } of inserts) {
    result += file.text.slice(from, at) + text;
    from = at;
  }
  result += file.text.slice(from, -2);
  return {
    javascript: `const { ${guardName}, ${eachName} } = globalThis[Symbol.for("one-listener.guards")]; ${result}`,
    awaitsAtTop,
  };
}

/** `In[count]:line` of the awaits that an error came through: V8's own async frames end at a promise that is raced. */
const awaitedAt = new WeakMap<object, { count: number; line: number }[]>();

/**
 * The places, `In[count]:line`, of the awaits through which an error came, the innermost first; none for a value that
 * is no object.
 */
export function awaitsOf(thrown: unknown): { count: number; line: number }[] {
  return (typeof thrown === "object" && thrown !== null && awaitedAt.get(thrown)) || [];
}

function untilInterrupt(value: unknown, count: number, line: number): unknown {
  const cell = runningCell();
  // no cell runs: a timer of an earlier one, which the reader cannot interrupt
  if (!cell) return value;
  return cell.untilInterrupt(value, (error) => {
    if (typeof error !== "object" || error === null) return;
    const places = awaitedAt.get(error);
    if (places) places.push({ count, line });
    else awaitedAt.set(error, [{ count, line }]);
  });
}

async function* eachUntilInterrupt(
  values: AsyncIterable<unknown> | Iterable<unknown>,
  count: number,
  line: number,
): AsyncGenerator {
  const iterator = Symbol.asyncIterator in values ? values[Symbol.asyncIterator]() : values[Symbol.iterator]();
  let done = false;
  try {
    for (;;) {
      const next = (await untilInterrupt(iterator.next(), count, line)) as IteratorResult<unknown>;
      if (next.done) {
        done = true;
        return;
      }
      yield await next.value;
    }
  } finally {
    if (!done) await iterator.return?.();
  }
}

/** Where the rewritten cells find their guards. */
export function offerGuards(): void {
  Object.defineProperty(globalThis, Symbol.for("one-listener.guards"), {
    value: { [guardName]: untilInterrupt, [eachName]: eachUntilInterrupt },
    configurable: true,
  });
}

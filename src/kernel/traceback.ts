import path from "node:path";
import { inspect } from "node:util";
import { hintOf } from "../errors";
import { awaitsOf } from "./await-guard";
import type { Cell, CellCode, Failure } from "./cell";
import { cellCode, Interrupted } from "./cell";
import { sourceLine } from "./source-line";
import type { Diagnostic } from "./tslab";

/** What went wrong, as readers see it under the cell: message, hint, then where, their own code first. */

const red = (text: string) => `\x1b[1;31m${text}\x1b[0m`;
const cyan = (text: string) => `\x1b[36m${text}\x1b[0m`;
const dim = (text: string) => `\x1b[2m${text}\x1b[0m`;

/** frames shown of one error */
const frameLimit = 8;
/** errors of one type check that are shown */
const diagnosticLimit = 5;
const projectDir = path.join(__dirname, "..", "..");

/** The failure that the frontend shows for a thrown value, which may be anything. Never throws. */
export function describeError(thrown: unknown): Failure {
  if (thrown instanceof Interrupted)
    return { ename: thrown.name, evalue: thrown.message, traceback: [`${red(thrown.name)}: ${thrown.message}`] };
  const { ename, evalue } = nameOf(thrown);
  return { ename, evalue, traceback: lines(thrown, "", new Set()) };
}

function nameOf(thrown: unknown): { ename: string; evalue: string } {
  if (!isError(thrown))
    return { ename: "Thrown", evalue: typeof thrown === "string" ? thrown : inspect(thrown, { depth: 2 }) };
  // a program may put anything there
  const { name, message }: { name: unknown; message: unknown } = thrown;
  return { ename: asText(name || "Error"), evalue: asText(message) };
}

const asText = (value: unknown) => String(value);

function isError(value: unknown): value is Error & { errors?: unknown } {
  return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
}

function lines(thrown: unknown, before: string, seen: Set<unknown>): string[] {
  const { ename, evalue } = nameOf(thrown);
  if (!isError(thrown)) return [`${before}${red(ename)}: ${evalue}`];
  seen.add(thrown);
  const hint = hintOf(thrown);
  const result = [`${before}${red(ename)}: ${evalue}`];
  if (hint !== undefined) result.push(cyan(`→ ${hint}`));
  result.push(...frames(thrown, before === ""));
  if (Array.isArray(thrown.errors)) {
    for (const error of thrown.errors.slice(0, diagnosticLimit))
      if (!seen.has(error)) result.push(...lines(error, "  one of them: ", seen));
  }
  if (thrown.cause !== undefined && !seen.has(thrown.cause)) result.push(...lines(thrown.cause, "caused by ", seen));
  return result;
}

interface Frame {
  call: string;
  file: string;
  line: number;
  column: number;
}

/** The frames of a V8 stack that concern the reader; exported for its test. */
export function parseStack(stack: string): Frame[] {
  const found: Frame[] = [];
  for (const text of stack.split("\n")) {
    const match = /^\s+at (?:(?:async )?(.*?) \()?(?:async )?(.+?):(\d+):(\d+)\)?$/.exec(text);
    if (!match) continue;
    const [, call = "", file = "", line, column] = match;
    found.push({ call, file: file.replace(/^file:\/\//, ""), line: Number(line), column: Number(column) });
  }
  return found;
}

/** The library's own frames are shown for the error itself, not for its causes. */
function frames(thrown: Error, withLibrary: boolean): string[] {
  const cells: string[] = [];
  const library: string[] = [];
  const addCell = (shown: string | undefined) => {
    if (shown && !cells.includes(shown)) cells.push(shown);
  };
  for (const { call, file, line, column } of parseStack(thrown.stack ?? "")) {
    const count = /^In\[(\d+)\]$/.exec(file)?.[1];
    if (count !== undefined) addCell(cellFrame(Number(count), line));
    else if (withLibrary && path.isAbsolute(file)) {
      const relative = path.relative(projectDir, file);
      if (!unshown.test(relative))
        library.push(
          dim(`  at ${call ? `${call} ` : ""}(${relative.startsWith("..") ? file : relative}:${line}:${column})`),
        );
    }
  }
  for (const { count, line } of awaitsOf(thrown)) addCell(cellFrame(count, line));
  return [...cells.slice(0, frameLimit), ...library.slice(0, frameLimit)];
}

/** The kernel itself, and where the library makes its errors. */
const unshown = /^dist\/(kernel\/|errors\.js)|(^|\/)node_modules\/(@?tslab|zeromq)\//;

function cellFrame(count: number, line: number): string | undefined {
  const code: CellCode | undefined = cellCode(count);
  const javascript = code?.javascript.split("\n")[line - 1]?.trim();
  // past its last line stands tslab's wrapper
  if (!code || !javascript) return undefined;
  const at = sourceLine(code, line);
  return at === undefined
    ? `In [${count}]: ${javascript}`
    : `In [${count}], line ${at + 1}: ${(code.source.split("\n")[at] ?? "").trim()}`;
}

/** Type errors, each with its line and a caret below the place. */
export function describeDiagnostics(diagnostics: readonly Diagnostic[], cell: Pick<Cell, "count" | "source">): Failure {
  const [first] = diagnostics;
  if (!first) throw new RangeError("There is no type error to describe.");
  const more = diagnostics.length - 1;
  const traceback = [red("This cell does not type-check, so none of it was run.")];
  for (const diagnostic of diagnostics.slice(0, diagnosticLimit)) {
    const { line, character } = diagnostic.start;
    traceback.push(`${where(diagnostic, cell)}: ${diagnostic.messageText} ${dim(`(TS${diagnostic.code})`)}`);
    const text = diagnostic.fileName ? undefined : cell.source.split("\n")[line];
    if (text === undefined || text.trim() === "") continue;
    const end = diagnostic.end.line === line ? diagnostic.end.character : text.length;
    const shown = `  ${text.slice(0, character).replace(/[^\t]/g, " ")}${"~".repeat(Math.max(1, end - character))}`;
    traceback.push(`  ${text}`, red(shown));
  }
  if (more >= diagnosticLimit) traceback.push(dim(`and ${diagnostics.length - diagnosticLimit} more`));
  const evalue = `${where(first, cell)}: ${first.messageText}${more > 0 ? ` (and ${more} more)` : ""}`;
  return { ename: `TS${first.code}`, evalue, traceback };
}

function where(diagnostic: Diagnostic, cell: Pick<Cell, "count">): string {
  const { line, character } = diagnostic.start;
  return `${diagnostic.fileName ?? `In [${cell.count}]`}, line ${line + 1}, column ${character + 1}`;
}

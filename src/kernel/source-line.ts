import type { CellCode } from "./cell";

/** lines × lines that are compared: more would take longer than a reader waits for an error */
const mostPairs = 1_000_000;
/** characters of a part of a line that are not found elsewhere by chance */
const shortest = 8;

/**
 * The line of a cell (from 0) that its compiled line (from 1) came from, or undefined where that is not clear. tslab gives no
 * source map, but its compiler keeps statements in order and changes little within a line: both texts are aligned by their
 * longest common subsequence of lines.
 */
export function sourceLine(code: CellCode, javascriptLine: number): number | undefined {
  const source = code.source.split("\n").map(essence);
  const javascript = code.javascript.split("\n").map(essence);
  const wanted = javascriptLine - 1;
  const line = javascript.at(wanted);
  if (line === undefined || source.length * javascript.length > mostPairs) return undefined;
  return aligned(source, javascript, wanted) ?? broken(source, line);
}

/** The line of `source` that stands beside line `wanted` of `javascript` in their longest common subsequence. */
function aligned(source: readonly string[], javascript: readonly string[], wanted: number): number | undefined {
  const width = javascript.length + 1;
  const same = (i: number, j: number) => source[i] !== "" && source[i] === javascript[j];
  // common[i * width + j]: the longest common subsequence of what follows line i and line j
  const common = new Uint16Array((source.length + 1) * width);
  const length = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = source.length - 1; i >= 0; i -= 1) {
    for (let j = javascript.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = same(i, j) ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  let i = 0;
  let j = 0;
  while (i < source.length && j < javascript.length) {
    if (same(i, j)) {
      if (j === wanted) return i;
      i += 1;
      j += 1;
    } else if (length(i + 1, j) >= length(i, j + 1)) i += 1;
    else j += 1;
  }
  return undefined;
}

/** The one line of `source` that contains `part`: the compiler has broken it in two. */
function broken(source: readonly string[], part: string): number | undefined {
  if (part.length < shortest) return undefined;
  const within = source.flatMap((line, index) => (line.includes(part) ? [index] : []));
  return within.length === 1 ? within[0] : undefined;
}

/** A line without what the compiler adds or takes away: `exports.` before names of earlier cells, the type of a variable, … */
function essence(line: string): string {
  return line
    .replace(/\/\/.*$/, "")
    .replace(/\(0, ([\w.$]+)\)/g, "$1")
    .replace(/^\s*exports\.(\w+) = (?=.)/, "const $1 = ")
    .replace(/\bexports\./g, "")
    .replace(/\b\w+_\d+\.(?=\w)/g, "")
    .replace(/^\s*const tsLastExpr\d* = /, "")
    .replace(/^(\s*)(?:export )?(?:const|let|var) (\w+)\s*:[^=]+=(?!=)/, "$1const $2 =")
    .replace(/^(\s*)(?:let|var) /, "$1const ")
    .replace(/["'`]/g, '"')
    .replace(/[\s;]/g, "");
}

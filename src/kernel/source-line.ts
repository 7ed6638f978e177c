import type { CellCode } from "./cell";

/**
 * The line of a cell (from 0) that its compiled line (from 1) came from, or undefined where that is not clear. tslab gives no
 * source map, but its compiler keeps statements in order and changes little within a line: both texts are aligned by their
 * longest common subsequence of lines.
 */
export function sourceLine(code: CellCode, javascriptLine: number): number | undefined {
  const source = code.source.split("\n").map(essence);
  const javascript = code.javascript.split("\n").map(essence);
  const wanted = javascriptLine - 1;
  if (javascript[wanted] === undefined || source.length * javascript.length > 1_000_000) return undefined;
  // common[i][j]: the longest common subsequence of what follows line i and line j
  const common = Array.from({ length: source.length + 1 }, () => new Uint16Array(javascript.length + 1));
  for (let i = source.length - 1; i >= 0; i -= 1) {
    for (let j = javascript.length - 1; j >= 0; j -= 1) {
      common[i][j] = same(source[i], javascript[j])
        ? common[i + 1][j + 1] + 1
        : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  let i = 0;
  let j = 0;
  while (i < source.length && j < javascript.length) {
    if (same(source[i], javascript[j])) {
      if (j === wanted) return i;
      i += 1;
      j += 1;
    } else if (common[i + 1][j] >= common[i][j + 1]) i += 1;
    else j += 1;
  }
  // a line that the compiler broke in two
  const within = source.flatMap((line, index) =>
    javascript[wanted].length >= shortest && line.includes(javascript[wanted]) ? [index] : [],
  );
  return within.length === 1 ? within[0] : undefined;
}

/** characters of a part of a line that are not found elsewhere by chance */
const shortest = 8;

const same = (a: string, b: string) => a !== "" && a === b;

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

/**
 * Attack: the model solution is read and evaluated
 * Wall: the file is not in the sandbox
 * Told: ^It threw: ENOENT: no such file or directory, open '__PROJECT__\/exercises\/queue-arithmetic\/solution\.ts' \(line \d+\)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const fs = require("fs");
  const text = fs.readFileSync("__PROJECT__/exercises/queue-arithmetic/solution.ts", "utf8");
  return eval("(" + text.slice(text.indexOf("{", text.indexOf("):"))) + ")");
  return { maximum: -1, waiting: -1 };
}

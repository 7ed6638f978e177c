/**
 * Attack: a file in each place that the grader or the machine trusts
 * Wall: everything but /tmp is read-only
 * Told: ^It threw: wrote to 0 \(line \d+\)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const fs = require("fs");
  const done: string[] = [];
  for (const place of ["__PROJECT__/dist", "__PROJECT__/native/build/Release", "/etc", "/usr/lib", "/", "/home"])
    try {
      fs.writeFileSync(place + "/owned", "x");
      done.push(place);
    } catch {}
  throw new Error("wrote to " + done.length);
  return { maximum: -1, waiting: -1 };
}

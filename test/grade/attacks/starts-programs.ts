/**
 * Attack: a shell is started
 * Wall: there is no shell in the sandbox
 * Told: ^It threw: spawnSync \/bin\/sh ENOENT \(line \d+\)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  require("child_process").execFileSync("/bin/sh", ["-c", "id"]);
  return { maximum: -1, waiting: -1 };
}

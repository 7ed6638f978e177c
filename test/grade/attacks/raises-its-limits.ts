/**
 * Attack: prlimit raises the limits
 * Wall: hard limits can only be lowered
 * Told: ^It threw: Command failed: \/usr\/bin\/prlimit --nproc=unlimited --nofile=1000000 \S+ -e 0\nprlimit: failed to set the NPROC resource limit: Operation not permitted\n \(line \d+\)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  require("child_process").execFileSync("/usr/bin/prlimit", [
    "--nproc=unlimited",
    "--nofile=1000000",
    process.execPath,
    "-e",
    "0",
  ]);
  return { maximum: -1, waiting: -1 };
}

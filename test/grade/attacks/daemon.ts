/**
 * Attack: a detached process that is to outlive the check
 * Wall: the PID namespace, which ends with its first process
 * Told: nothing
 */
export async function queueArithmetic(task: any): Promise<any> {
  require("child_process")
    .spawn(process.execPath, ["-e", "setInterval(() => 0, 1000) // left-behind"], { detached: true, stdio: "ignore" })
    .unref();
  return { maximum: -1, waiting: -1 };
}

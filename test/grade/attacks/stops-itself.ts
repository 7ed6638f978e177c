/**
 * Attack: the process stops itself with SIGSTOP
 * Wall: a check's time: SIGKILL ends a stopped process too
 * Told: ^It had not returned after \d+ s\.$
 */
export async function queueArithmetic(task: any): Promise<any> {
  process.kill(process.pid, "SIGSTOP");
  return { maximum: -1, waiting: -1 };
}

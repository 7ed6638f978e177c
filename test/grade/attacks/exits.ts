/**
 * Attack: the process ends before the function returns
 * Wall: an answer is a message, never an exit status
 * Told: ^Its process ended with status 0 before the function returned\.$
 */
export async function queueArithmetic(task: any): Promise<any> {
  process.exit(0);
  return { maximum: -1, waiting: -1 };
}

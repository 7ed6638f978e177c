/**
 * Attack: the process aborts itself
 * Wall: an answer is a message, never an exit status
 * Told: ^Its process was ended by signal 6\.$
 */
export async function queueArithmetic(task: any): Promise<any> {
  process.abort();
  return { maximum: -1, waiting: -1 };
}

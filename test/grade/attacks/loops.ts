/**
 * Attack: the function loops and never awaits
 * Wall: a check's time: the process is ended
 * Told: ^It had not returned after \d+ s\.$
 */
export async function queueArithmetic(task: any): Promise<any> {
  while (true) {}
  return { maximum: -1, waiting: -1 };
}

/**
 * Attack: the function awaits a promise that is never settled
 * Wall: a check's time
 * Told: ^It had not returned after \d+ s\.$
 */
export async function queueArithmetic(task: any): Promise<any> {
  await new Promise(() => setInterval(() => undefined, 1000));
  return { maximum: -1, waiting: -1 };
}

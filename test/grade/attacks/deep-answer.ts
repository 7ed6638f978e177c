/**
 * Attack: an answer nested 200,000 deep
 * Wall: an answer is JSON, made in the student's process
 * Told: ^It threw: Maximum call stack size exceeded$
 */
export async function queueArithmetic(task: any): Promise<any> {
  let deep: any = 1;
  for (let i = 0; i < 200_000; i++) deep = [deep];
  return deep;
  return { maximum: -1, waiting: -1 };
}

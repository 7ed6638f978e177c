/**
 * Attack: the function throws null
 * Wall: whatever is thrown is told as text
 * Told: ^It threw: null$
 */
export async function queueArithmetic(task: any): Promise<any> {
  throw null;
  return { maximum: -1, waiting: -1 };
}

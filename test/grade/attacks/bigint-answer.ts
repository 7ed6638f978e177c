/**
 * Attack: an answer of BigInts
 * Wall: an answer is JSON
 * Told: ^It threw: Do not know how to serialize a BigInt$
 */
export async function queueArithmetic(task: any): Promise<any> {
  return { maximum: 10n, waiting: 1n };
  return { maximum: -1, waiting: -1 };
}

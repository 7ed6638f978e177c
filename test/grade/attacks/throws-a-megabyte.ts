/**
 * Attack: an error of half a megabyte
 * Wall: what is told is cut
 * Told: ^It threw: x{100,} … \(\d+ more characters\)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  throw new Error("x".repeat(500_000));
  return { maximum: -1, waiting: -1 };
}

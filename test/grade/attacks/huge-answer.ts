/**
 * Attack: an answer of 50 MB
 * Wall: the largest message
 * Told: ^What it returned is larger than 1 MiB\.$
 */
export async function queueArithmetic(task: any): Promise<any> {
  return { maximum: "x".repeat(50 << 20) };
  return { maximum: -1, waiting: -1 };
}

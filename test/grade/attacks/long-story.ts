/**
 * Attack: an answer that would make a story of megabytes
 * Wall: what is told is cut
 * Told: nothing
 */
export async function queueArithmetic(task: any): Promise<any> {
  return { maximum: "<b>".repeat(200_000), waiting: [..."x".repeat(50_000)] };
  return { maximum: -1, waiting: -1 };
}

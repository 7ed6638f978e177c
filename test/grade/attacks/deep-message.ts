/**
 * Attack: a message nested 200,000 deep
 * Wall: the deepest message
 * Told: ^What it returned is nested more than 100 levels deep\.$
 */
export async function queueArithmetic(task: any): Promise<any> {
  let rest = Buffer.from(`{"type":"threw","id":0,"message":${"[".repeat(200_000)}${"]".repeat(200_000)}}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(require("fs").writeSync(3, rest));
    } catch {
      /* the channel is full */
    }
    await new Promise((r) => setTimeout(r, 1));
  }
  await new Promise((r) => setTimeout(r, 300));
  return { maximum: -1, waiting: -1 };
}

/**
 * Attack: lines of 10,000 characters, without end
 * Wall: the limit of what is printed
 * Told: ^It printed more than 1024 KiB\.$
 */
export async function queueArithmetic(task: any): Promise<any> {
  for (;;) {
    console.log("x".repeat(10_000));
    await new Promise(setImmediate);
  }
  return { maximum: -1, waiting: -1 };
}

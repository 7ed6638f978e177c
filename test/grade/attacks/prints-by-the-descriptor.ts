/**
 * Attack: the same by write(2), past Node's streams
 * Wall: the limit of what is printed
 * Told: ^(It printed more than 1024 KiB\.|It threw: EAGAIN.*)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  for (;;) require("fs").writeSync(2, "x".repeat(10_000));
  return { maximum: -1, waiting: -1 };
}

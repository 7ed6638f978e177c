/**
 * Attack: 500 MB of files in /tmp
 * Wall: /tmp is a memory file system of bounded size; files have a largest size
 * Told: ^(It threw: (ENOSPC: no space left on device|EFBIG: file too large), write \(line \d+\))$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const fs = require("fs");
  const part = Buffer.alloc(1 << 20, 7);
  for (let i = 0; i < 500; i++) fs.appendFileSync("/tmp/x" + (i % 50), part);
  return { maximum: -1, waiting: -1 };
}

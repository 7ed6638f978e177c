/**
 * Attack: files in /dev and /dev/shm
 * Wall: /dev is mounted read-only
 * Told: ^It threw: EROFS: read-only file system, open '\/dev\/x0' \(line \d+\)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const fs = require("fs");
  const part = Buffer.alloc(1 << 20, 7);
  for (const place of ["/dev", "/dev/shm"]) for (let i = 0; i < 500; i++) fs.appendFileSync(place + "/x" + i, part);
  return { maximum: -1, waiting: -1 };
}

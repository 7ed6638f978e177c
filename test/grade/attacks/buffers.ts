/**
 * Attack: buffers outside of the heap, without end
 * Wall: the limit of memory
 * Told: ^(It used more than \d+ MiB of memory\.|Its process was ended by signal \d+\.|It threw: Array buffer allocation failed \(line \d+\))$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const all: any[] = [];
  for (;;) {
    all.push(Buffer.alloc(64 << 20, 1));
    await new Promise((r) => setTimeout(r, 5));
  }
  return { maximum: -1, waiting: -1 };
}

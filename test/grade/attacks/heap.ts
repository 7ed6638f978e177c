/**
 * Attack: arrays in JavaScript's heap, without end
 * Wall: the heap's limit
 * Told: ^(It used more than \d+ MiB of heap\.|It used more than \d+ MiB of memory\.|Its process was ended by signal \d+\.)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const all: any[] = [];
  for (;;) all.push(new Array(1e5).fill(Math.random()));
  return { maximum: -1, waiting: -1 };
}

/**
 * Attack: 5,000 threads that loop
 * Wall: the limit of processes, which counts threads
 * Told: ^(It threw: EAGAIN \(line \d+\)|It used more than \d+ MiB of heap\.|Its process was ended by signal \d+\.|It started more than \d+ processes\.|It used more than \d+ MiB of memory\.)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const { Worker } = require("worker_threads");
  for (let i = 0; i < 5000; i++) new Worker("while (true) {}", { eval: true }).on("error", () => undefined);
  await new Promise(() => setInterval(() => 0, 1000));
  return { maximum: -1, waiting: -1 };
}

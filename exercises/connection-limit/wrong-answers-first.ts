// answers as soon as a client is there, and does the work when it has its answer already
// fails: everybody is answered, after the work
import { sleep, type Lab } from "one-listener";

export async function connectionLimit(
  lab: Lab,
  {
    port,
    limit,
    handleMs,
    signal,
  }: { port: number; limit: number; handleMs: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 256 });
  signal.addEventListener("abort", () => void listener.close());
  async function worker() {
    while (!signal.aborted) {
      const connection = await listener.accept().catch(() => undefined);
      await connection?.write("done");
      await sleep(handleMs);
      connection?.close();
    }
  }
  await Promise.all(Array.from({ length: limit }, worker));
}

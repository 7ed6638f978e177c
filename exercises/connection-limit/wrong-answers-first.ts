// answers a client as soon as it is accepted, and does the work afterwards
// fails: every client is answered, after the work
import { once } from "node:events";
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
  const closed = once(signal, "abort").then(() => listener.close());
  async function worker() {
    while (!signal.aborted) {
      const connection = await listener.accept().catch(() => undefined);
      await connection?.write("done");
      await sleep(handleMs);
      await connection?.close();
    }
  }
  await Promise.all(Array.from({ length: limit }, worker));
  await closed;
}

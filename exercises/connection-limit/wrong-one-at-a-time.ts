// handles one client at a time, which is below every limit
// fails: the limit is used
import { once } from "node:events";
import { sleep, type Lab } from "one-listener";

export async function connectionLimit(
  lab: Lab,
  {
    port,
    handleMs,
    signal,
  }: { port: number; limit: number; handleMs: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 256 });
  const closed = once(signal, "abort").then(() => listener.close());
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    await sleep(handleMs);
    await connection?.write("done");
    await connection?.close();
  }
  await closed;
}

// one at a time is below every limit
// fails: the limit is used
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
  signal.addEventListener("abort", () => void listener.close());
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    await sleep(handleMs);
    await connection?.write("done");
    connection?.close();
  }
}

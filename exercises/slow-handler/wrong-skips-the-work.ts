// is fast because it leaves the work out
// fails: the work is done for every client
import { once } from "node:events";
import type { Lab } from "one-listener";

export async function slowHandler(
  lab: Lab,
  {
    port,
    backlog,
    signal,
  }: { port: number; backlog: number; handleMs: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog });
  const closed = once(signal, "abort").then(() => listener.close());
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    await connection?.write("done");
    await connection?.close();
  }
  await closed;
}

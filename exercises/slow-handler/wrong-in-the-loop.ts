// waits for the handler in the accept loop
// fails: the accept queue stays short
import { once } from "node:events";
import { sleep, type Lab } from "one-listener";

export async function slowHandler(
  lab: Lab,
  {
    port,
    backlog,
    handleMs,
    signal,
  }: { port: number; backlog: number; handleMs: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog });
  const closed = once(signal, "abort").then(() => listener.close());
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    await sleep(handleMs);
    await connection?.write("done");
    await connection?.close();
  }
  await closed;
}

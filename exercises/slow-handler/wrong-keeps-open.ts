// starts a handler, which answers and forgets to close: the open descriptors increase
// fails: every client is answered in time
import { once } from "node:events";
import { sleep, type Connection, type Lab } from "one-listener";

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
  async function handle(connection: Connection) {
    await sleep(handleMs);
    await connection.write("done");
  }
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    if (connection) void handle(connection).catch(() => undefined);
  }
  await closed;
}

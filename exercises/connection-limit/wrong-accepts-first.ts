// accepts, and waits for a place afterwards
// fails: never more than the limit
import { once } from "node:events";
import { sleep, type Connection, type Lab } from "one-listener";

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
  let busy = 0;
  async function handle(connection: Connection) {
    while (busy >= limit) await sleep(1);
    busy++;
    await sleep(handleMs);
    await connection.write("done");
    await connection.close();
    busy--;
  }
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    if (connection) void handle(connection);
  }
  await closed;
}

// answers at once, and works afterwards: the answer cannot come from the work
// fails: the work is done for every client
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
    await connection.write("done");
    await sleep(handleMs);
    await connection.close();
  }
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    if (connection) void handle(connection).catch(() => connection.close());
  }
  await closed;
}

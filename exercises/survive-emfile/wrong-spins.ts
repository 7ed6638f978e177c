// tries again at once
// fails: with little CPU time
import { once } from "node:events";
import type { Connection, Lab } from "one-listener";

export async function surviveEmfile(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 256 });
  const closed = once(signal, "abort").then(() => listener.close());
  async function serve(connection: Connection) {
    await connection.write("ok");
    while ((await connection.read()) !== null) continue;
    await connection.close();
  }
  while (!signal.aborted) {
    try {
      const connection = await listener.accept();
      void serve(connection).catch(() => connection.close());
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await closed;
}

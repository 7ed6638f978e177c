// lets the error end the server
// fails: the server survives
import { once } from "node:events";
import type { Lab } from "one-listener";

export async function surviveEmfile(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 256 });
  const closed = once(signal, "abort").then(() => listener.close());
  while (!signal.aborted) {
    const connection = await listener.accept();
    void (async () => {
      await connection.write("ok");
      while ((await connection.read()) !== null) continue;
      await connection.close();
    })();
  }
  await closed;
}

// forgets the backlog
// fails: listens with the backlog that it was given
import { once } from "node:events";
import type { Lab } from "one-listener";

export async function firstListener(
  lab: Lab,
  { port, signal }: { port: number; backlog: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port });
  const closed = once(signal, "abort").then(() => listener.close());
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    await connection?.write("hello\n");
    await connection?.close();
  }
  await closed;
}

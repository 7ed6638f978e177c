// never closes the connections
// fails: closes each connection
import { once } from "node:events";
import type { Lab } from "one-listener";

export async function firstListener(
  lab: Lab,
  { port, backlog, signal }: { port: number; backlog: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog });
  const closed = once(signal, "abort").then(() => listener.close());
  while (!signal.aborted)
    await listener.accept().then(
      (connection) => connection.write("hello\n"),
      () => undefined,
    );
  await closed;
}

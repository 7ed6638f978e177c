// avoids the loss: never restarts
// fails: no client is accepted while the new version loads
import { once } from "node:events";
import type { Lab } from "one-listener";

export async function restartWithoutLoss(
  lab: Lab,
  { port, signal }: { port: number; restart: number; loadMs: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 1024 });
  const closed = once(signal, "abort").then(() => listener.close());
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    if (connection) void connection.write("old").then(() => connection.close());
  }
  await closed;
}

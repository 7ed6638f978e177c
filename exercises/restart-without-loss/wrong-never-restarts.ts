// avoids the loss by not restarting
// fails: nobody is accepted while the new version loads
import type { Lab } from "one-listener";

export async function restartWithoutLoss(
  lab: Lab,
  { port, signal }: { port: number; restart: number; loadMs: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 1024 });
  signal.addEventListener("abort", () => void listener.close());
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    if (connection) void connection.write("old").then(() => connection.close());
  }
}

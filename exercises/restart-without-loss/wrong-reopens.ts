// closes the listener, and opens another one when the new version is loaded
// fails: no client is refused or reset
import { sleep, type Lab } from "one-listener";

export async function restartWithoutLoss(
  lab: Lab,
  {
    port,
    restart,
    loadMs,
    signal,
  }: { port: number; restart: number; loadMs: number; signal: AbortSignal },
): Promise<void> {
  async function serve(answer: string, ms: number) {
    const listener = await lab.listen({ port, backlog: 1024 });
    const end = () => void listener.close();
    signal.addEventListener("abort", end);
    setTimeout(end, ms).unref();
    while (!listener.closed) {
      const connection = await listener.accept().catch(() => undefined);
      if (connection) void connection.write(answer).then(() => connection.close());
    }
  }
  await serve("old", restart);
  await sleep(loadMs);
  await serve("newer", 60_000);
}

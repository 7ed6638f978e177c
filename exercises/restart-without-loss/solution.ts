/**
 * The listening socket outlives its application: clients wait in its queue while the new version loads. That is what passing the listening
 * descriptor does between processes (socket activation, systemd). Closing it would reset all who wait, and refuse those who come
 * before the next listen().
 */
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
  const listener = await lab.listen({ port, backlog: 1024 });
  signal.addEventListener("abort", () => void listener.close());

  async function serve(answer: string, until: number) {
    while (!signal.aborted && performance.now() < until) {
      const timeout = until === Infinity ? -1 : Math.max(1, until - performance.now());
      const connection = await listener.accept({ timeout }).catch(() => undefined);
      if (connection) void connection.write(answer).then(() => connection.close());
    }
  }

  await serve("old", performance.now() + restart);
  await sleep(loadMs);
  await serve("newer", Infinity);
}

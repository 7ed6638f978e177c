/**
 * The listening socket stays while the application is replaced: clients wait in its accept queue while the new version loads. Between
 * processes, passing the listening descriptor does the same (socket activation in systemd). Closing the listener would reset all
 * connections that wait, and the kernel would refuse the clients that come before the next listen().
 */
import { once } from "node:events";
import { sleep, type Connection, type Lab } from "one-listener";

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
  const closed = once(signal, "abort").then(() => listener.close());

  async function reply(connection: Connection, answer: string) {
    await connection.write(answer);
    await connection.close();
  }

  async function serve(answer: string, until: number) {
    while (!signal.aborted && performance.now() < until) {
      const timeout = Math.max(1, until - performance.now());
      const connection = await listener.accept({ timeout }).catch(() => undefined);
      if (connection) reply(connection, answer).catch(console.error);
    }
  }

  await serve("old", performance.now() + restart);
  await sleep(loadMs);
  await serve("newer", Infinity);
  await closed;
}

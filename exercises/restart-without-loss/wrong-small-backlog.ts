// keeps the listener, with a queue too small for the clients that come during the pause
// fails: every client is answered
import { once } from "node:events";
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
  const listener = await lab.listen({ port, backlog: 10 });
  const closed = once(signal, "abort").then(() => listener.close());
  let answer = "old";
  const begin = performance.now();
  while (!signal.aborted) {
    if (answer === "old" && performance.now() - begin >= restart) {
      await sleep(loadMs);
      answer = "newer";
    }
    const connection = await listener.accept({ timeout: 20 }).catch(() => undefined);
    if (connection) void connection.write(answer).then(() => connection.close());
  }
  await closed;
}

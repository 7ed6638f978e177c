// keeps the listener, with a queue that does not hold those who come meanwhile
// fails: everybody is answered
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
  signal.addEventListener("abort", () => void listener.close());
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
}

// a long queue, and a loop that takes two milliseconds for each client
// fails: the accept queue never overflows
import { once } from "node:events";
import { sleep, type Lab } from "one-listener";

export async function fastAccept(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 4096 });
  const closed = once(signal, "abort").then(() => listener.close());
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    await sleep(2);
    await connection?.write("ok");
    await connection?.close();
  }
  await closed;
}

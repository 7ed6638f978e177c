// a fast loop, but the default backlog of the textbook, and a late start
// fails: the accept queue never overflows
import { once } from "node:events";
import { sleep, type Lab } from "one-listener";

export async function fastAccept(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 5 });
  const closed = once(signal, "abort").then(() => listener.close());
  while (true) {
    await sleep(5);
    if (signal.aborted) break;
    for (const connection of listener.acceptAll())
      void connection.write("ok").then(() => connection.close());
  }
  await closed;
}

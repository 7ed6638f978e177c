// accepts and closes, without an answer
// fails: every client is answered
import { once } from "node:events";
import type { Lab } from "one-listener";

export async function fastAccept(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 4096 });
  const closed = once(signal, "abort").then(() => listener.close());
  await listener.acceptLoop({ close: true }).done;
  await closed;
}

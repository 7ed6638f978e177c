// a long queue, and a loop that takes two milliseconds for each client
// fails: the accept queue never overflows
import { sleep, type Lab } from "one-listener";

export async function fastAccept(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 4096 });
  signal.addEventListener("abort", () => void listener.close());
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    await sleep(2);
    await connection?.write("ok");
    connection?.close();
  }
}

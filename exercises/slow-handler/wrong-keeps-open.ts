// hands off, answers, and forgets to close: the descriptors pile up
// fails: everybody is answered in time
import { sleep, type Connection, type Lab } from "one-listener";

export async function slowHandler(
  lab: Lab,
  {
    port,
    backlog,
    handleMs,
    signal,
  }: { port: number; backlog: number; handleMs: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog });
  signal.addEventListener("abort", () => void listener.close());
  async function handle(connection: Connection) {
    await sleep(handleMs);
    await connection.write("done");
  }
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    if (connection) void handle(connection).catch(() => undefined);
  }
}

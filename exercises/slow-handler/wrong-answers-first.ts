// answers at once, and works afterwards: the answer cannot have come from the work
// fails: the work is done for each
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
    await connection.write("done");
    await sleep(handleMs);
    connection.close();
  }
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    if (connection) void handle(connection).catch(() => connection.close());
  }
}

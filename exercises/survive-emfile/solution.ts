/**
 * accept() takes the connection out of the queue only when it has a descriptor for it: after EMFILE the client still waits, nothing is
 * lost. So the loop pauses, and a short sleep is pause enough: a hundred tries a second cost nothing, a million do.
 */
import { sleep, type Connection, type Lab } from "one-listener";

export async function surviveEmfile(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 256 });
  signal.addEventListener("abort", () => void listener.close());

  async function serve(connection: Connection) {
    await connection.write("ok");
    while ((await connection.read()) !== null) continue;
    connection.close();
  }

  while (!signal.aborted) {
    try {
      const connection = await listener.accept();
      void serve(connection).catch(() => connection.close());
    } catch {
      await sleep(10);
    }
  }
}

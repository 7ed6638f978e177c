/**
 * accept() takes a connection off the queue only when it has a descriptor for it. After EMFILE the client still waits, and nothing is
 * lost. So the loop makes a pause, and a short sleep is enough: a hundred tries per second cost nearly nothing, a million do not.
 */
import { once } from "node:events";
import { sleep, type Connection, type Lab } from "one-listener";

export async function surviveEmfile(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 256 });
  const closed = once(signal, "abort").then(() => listener.close());

  async function serve(connection: Connection) {
    try {
      await connection.write("ok");
      while ((await connection.read()) !== null) continue;
    } finally {
      await connection.close();
    }
  }

  while (!signal.aborted) {
    try {
      const connection = await listener.accept();
      // a client that resets its connection must not end the loop
      serve(connection).catch(console.error);
    } catch {
      await sleep(10);
    }
  }
  await closed;
}

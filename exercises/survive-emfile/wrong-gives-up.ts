// never accepts again
// fails: waiting clients are answered when others leave
import { once } from "node:events";
import type { Lab } from "one-listener";

export async function surviveEmfile(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 256 });
  const closed = once(signal, "abort").then(() => listener.close());
  for (;;) {
    const connection = await listener.accept().catch(() => undefined);
    if (!connection) break;
    void (async () => {
      await connection.write("ok");
      while ((await connection.read()) !== null) continue;
      await connection.close();
    })();
  }
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  await closed;
}

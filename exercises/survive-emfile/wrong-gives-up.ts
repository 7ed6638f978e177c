// stops accepting for good
// fails: those who wait are served when others leave
import type { Lab } from "one-listener";

export async function surviveEmfile(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 256 });
  signal.addEventListener("abort", () => void listener.close());
  for (;;) {
    const connection = await listener.accept().catch(() => undefined);
    if (!connection) break;
    void (async () => {
      await connection.write("ok");
      while ((await connection.read()) !== null) continue;
      connection.close();
    })();
  }
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

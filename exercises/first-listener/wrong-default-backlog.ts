// forgets the backlog
// fails: asks for the backlog it was given
import type { Lab } from "one-listener";

export async function firstListener(
  lab: Lab,
  { port, signal }: { port: number; backlog: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port });
  signal.addEventListener("abort", () => void listener.close());
  while (!signal.aborted) {
    const connection = await listener.accept().catch(() => undefined);
    await connection?.write("hello\n");
    await connection?.close();
  }
}

// thinks that one accept() is enough: serves the first client only
// fails: says hello to every client
import type { Lab } from "one-listener";

export async function firstListener(
  lab: Lab,
  { port, backlog, signal }: { port: number; backlog: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog });
  const connection = await listener.accept();
  await connection.write("hello\n");
  await connection.close();
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  await listener.close();
}

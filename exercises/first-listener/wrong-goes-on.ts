// ignores the signal
// fails: stops listening when the signal is aborted
import type { Lab } from "one-listener";

export async function firstListener(
  lab: Lab,
  { port, backlog }: { port: number; backlog: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog });
  for (;;) {
    const connection = await listener.accept();
    await connection.write("hello\n");
    await connection.close();
  }
}

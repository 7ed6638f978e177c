// does not hear the signal
// fails: stops listening when it is told to
import type { Lab } from "one-listener";

export async function firstListener(
  lab: Lab,
  { port, backlog }: { port: number; backlog: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog });
  for (;;) {
    const connection = await listener.accept();
    await connection.write("hello\n");
    connection.close();
  }
}

// accepts and closes, without an answer
// fails: everybody is answered
import type { Lab } from "one-listener";

export async function fastAccept(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 4096 });
  signal.addEventListener("abort", () => void listener.close());
  await listener.acceptLoop({ close: true }).done;
}

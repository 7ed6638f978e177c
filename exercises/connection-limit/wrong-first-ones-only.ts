// never gives a place back
// fails: everybody is answered, after the work
import { sleep, type Lab } from "one-listener";

export async function connectionLimit(
  lab: Lab,
  {
    port,
    limit,
    handleMs,
    signal,
  }: { port: number; limit: number; handleMs: number; signal: AbortSignal },
): Promise<void> {
  const listener = await lab.listen({ port, backlog: 256 });
  signal.addEventListener("abort", () => void listener.close());
  for (let places = limit; places > 0; places--) {
    const connection = await listener.accept();
    void sleep(handleMs)
      .then(() => connection.write("done"))
      .then(() => connection.close());
  }
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

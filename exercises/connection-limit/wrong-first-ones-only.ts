// never frees a place
// fails: every client is answered, after the work
import { once } from "node:events";
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
  const closed = once(signal, "abort").then(() => listener.close());
  for (let places = limit; places > 0; places--) {
    const connection = await listener.accept();
    void sleep(handleMs)
      .then(() => connection.write("done"))
      .then(() => connection.close());
  }
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  await closed;
}

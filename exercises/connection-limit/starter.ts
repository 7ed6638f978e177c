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
  throw new Error("no client is handled yet");
}

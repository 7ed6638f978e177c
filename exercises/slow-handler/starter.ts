import { sleep, type Lab } from "one-listener";

export async function slowHandler(
  lab: Lab,
  {
    port,
    backlog,
    handleMs,
    signal,
  }: { port: number; backlog: number; handleMs: number; signal: AbortSignal },
): Promise<void> {
  throw new Error("no client is handled yet");
}

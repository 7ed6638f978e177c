import { sleep, type Lab } from "one-listener";

export async function restartWithoutLoss(
  lab: Lab,
  {
    port,
    restart,
    loadMs,
    signal,
  }: { port: number; restart: number; loadMs: number; signal: AbortSignal },
): Promise<void> {
  throw new Error("no client is served yet");
}

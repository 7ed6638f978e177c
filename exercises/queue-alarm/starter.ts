import { sleep, type Lab } from "one-listener";

export async function queueAlarm(
  lab: Lab,
  {
    port,
    share,
    alarm,
    signal,
  }: { port: number; share: number; alarm: () => void; signal: AbortSignal },
): Promise<void> {
  throw new Error("nothing watches the queue yet");
}

// raises an alarm at every sample
// fails: once each time
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
  while (!signal.aborted) {
    const [listener] = lab.sockets({ port, states: ["LISTEN"] });
    if (!listener) break;
    if (listener.receiveQueue > share * listener.sendQueue) alarm();
    await sleep(10);
  }
}

// waits until the queue overflows
// fails: raises an alarm
import { sleep, type Lab } from "one-listener";

export async function queueAlarm(
  lab: Lab,
  { port, alarm, signal }: { port: number; share: number; alarm: () => void; signal: AbortSignal },
): Promise<void> {
  let on = false;
  while (!signal.aborted) {
    const [listener] = lab.sockets({ port, states: ["LISTEN"] });
    if (!listener) break;
    const full = listener.receiveQueue > listener.sendQueue;
    if (full && !on) alarm();
    on = full;
    await sleep(10);
  }
}

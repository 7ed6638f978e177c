// takes a second sample after 150 ms before it raises an alarm
// fails: within 100 ms
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
  const full = () => {
    const [listener] = lab.sockets({ port, states: ["LISTEN"] });
    return listener !== undefined && listener.receiveQueue > share * listener.sendQueue;
  };
  let on = false;
  while (!signal.aborted) {
    if (full() && !on) {
      await sleep(150);
      on = full();
      if (on) alarm();
    } else if (!full()) on = false;
    await sleep(10);
  }
}

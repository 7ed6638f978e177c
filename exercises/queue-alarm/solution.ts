/**
 * The table of sockets shows the queue of every listener in the Lab, as ss does. The alarm is an edge, not a level: it belongs to the
 * moment when the queue crosses the threshold.
 */
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
  let on = false;
  while (!signal.aborted) {
    const [listener] = lab.sockets({ port, states: ["LISTEN"] });
    const full = listener !== undefined && listener.receiveQueue > share * listener.sendQueue;
    if (full && !on) alarm();
    on = full;
    await sleep(10);
  }
}

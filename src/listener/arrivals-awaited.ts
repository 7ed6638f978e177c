/** Waiting until a listener's accept queue may hold a connection. */
import { native } from "../native";
import { longestTimer } from "../waiting/timeout";

/** One watch of a listener's descriptor for all calls that wait in accept(): libuv watches a descriptor once. */
export class Arrivals {
  private waiting?: { promise: Promise<boolean>; cancel(): void };
  private waiters = 0;

  /** @param fd of the listener, as long as it is open */
  constructor(private readonly fd: number) {}

  /** Waits until the accept queue may hold a connection: false after `ms`, or when cancel() is called. */
  async within(ms: number): Promise<boolean> {
    if (ms <= 0) return false;
    const waiting = (this.waiting ??= native.poll(this.fd, 1, Infinity));
    let timer: NodeJS.Timeout | undefined;
    const limits =
      ms === Infinity
        ? []
        : [new Promise<boolean>((resolve) => (timer = setTimeout(resolve, Math.min(ms, longestTimer), false)))];
    this.waiters++;
    try {
      const ready = await Promise.race([waiting.promise, ...limits]);
      if (ready && this.waiting === waiting) this.waiting = undefined;
      return ready;
    } finally {
      clearTimeout(timer);
      this.waiters--;
      if (this.waiters === 0 && this.waiting === waiting) {
        waiting.cancel();
        this.waiting = undefined;
      }
    }
  }

  /** Ends all waits: the listener is closing. */
  cancel(): void {
    this.waiting?.cancel();
  }
}

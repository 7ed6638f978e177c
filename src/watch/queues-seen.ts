/** The queues of a port as the sampled rows show them: now, their peaks, and the fullest of several listeners. */
import type { QueueRows, SharingRows } from "../native";
import { fullness } from "./listeners";

/** The listener that is fullest for its size, where several share the port. */
export interface Sharing {
  listeners: number;
  /** its accept queue, connections */
  fullest: number;
  /** its queue limit */
  fullestMaximum: number;
  /** its share of its capacity, 0 to 1 */
  full: number;
}

/** Takes in batches of rows. Values hold until the next row, because the sampler stores changes only. */
export class QueuesSeen {
  /** the newest values; `places` is the capacity of all listeners together */
  now = { acceptQueue: 0, places: 1, synQueue: 0 };
  /** undefined while one listener has the port to itself */
  sharing: Sharing | undefined;
  /** the longest queues since startInterval() */
  peak = 0;
  synQueuePeak = 0;
  /** the longest accept queue of all */
  peakEver = 0;

  /** @returns how full a listener was at most, 0 to 1 */
  take(queues: QueueRows, sharing: SharingRows): number {
    return Math.max(this.takeQueues(queues), this.takeSharing(sharing));
  }

  /** The peaks begin anew with the present lengths. */
  startInterval(): void {
    this.peak = this.now.acceptQueue;
    this.synQueuePeak = this.now.synQueue;
  }

  /** How full the queue was at most, 0 to 1. Of several listeners this is the mean, which the fullest one exceeds. */
  private takeQueues({ acceptQueue: lengths, acceptMax, synQueue: requests }: QueueRows): number {
    let full = 0;
    for (const [row, acceptQueue] of lengths.entries()) {
      const synQueue = requests[row] ?? 0;
      this.now = { acceptQueue, places: (acceptMax[row] ?? 0) + 1, synQueue };
      this.peak = Math.max(this.peak, acceptQueue);
      this.synQueuePeak = Math.max(this.synQueuePeak, synQueue);
      full = Math.max(full, acceptQueue / this.now.places);
    }
    this.peakEver = Math.max(this.peakEver, this.peak);
    return Math.max(full, this.now.acceptQueue / this.now.places);
  }

  private takeSharing({ listeners: counts, fullest: lengths, fullestMax }: SharingRows): number {
    let full = this.sharing?.full ?? 0;
    for (const [row, listeners] of counts.entries()) {
      const fullest = lengths[row] ?? 0;
      const fullestMaximum = fullestMax[row] ?? 0;
      const share = fullness({ acceptQueue: fullest, maximum: fullestMaximum });
      this.sharing = { listeners, fullest, fullestMaximum, full: share };
      full = Math.max(full, share);
    }
    return full;
  }
}

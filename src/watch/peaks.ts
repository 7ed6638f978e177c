/** The peaks of a queue as the sampled rows show them. */
import type { QueueRows, SharingRows } from "../native";
import { fullness } from "./listeners";

/** Takes in batches of rows. Values hold until the next row, because the sampler stores changes only. */
export class Peaks {
  /** the length of the SYN queue as it was last counted, requests */
  synQueue = 0;
  /** the longest queues since startInterval(), connections and requests; of several listeners their sum */
  acceptQueue = 0;
  synQueueLongest = 0;
  /** the longest accept queue since the beginning */
  acceptQueueEver = 0;
  private last = 0;
  private sharing: { listeners: number; full: number } | undefined;
  private lastFull = 0;

  /** @returns how full the fullest listener was at most, 0 to 1 */
  take(queues: QueueRows, sharing: SharingRows): number {
    const whole = this.takeQueues(queues);
    const fullest = this.takeSharing(sharing);
    return this.sharing ? fullest : whole;
  }

  /** A length that was read in another way. */
  see(acceptQueue: number): void {
    this.acceptQueue = Math.max(this.acceptQueue, acceptQueue);
    this.acceptQueueEver = Math.max(this.acceptQueueEver, acceptQueue);
  }

  /** The peaks begin anew with the present lengths. */
  startInterval(): void {
    this.acceptQueue = this.last;
    this.synQueueLongest = this.synQueue;
  }

  private takeQueues({ acceptQueue: lengths, acceptMax, synQueue: requests }: QueueRows): number {
    let full = this.lastFull;
    for (const [row, acceptQueue] of lengths.entries()) {
      this.last = acceptQueue;
      this.see(acceptQueue);
      this.synQueue = requests[row] ?? 0;
      this.synQueueLongest = Math.max(this.synQueueLongest, this.synQueue);
      this.lastFull = fullness({ acceptQueue, maximum: acceptMax[row] ?? 0 });
      full = Math.max(full, this.lastFull);
    }
    return full;
  }

  private takeSharing({ listeners: counts, fullest: lengths, fullestMax }: SharingRows): number {
    let full = this.sharing?.full ?? 0;
    for (const [row, listeners] of counts.entries()) {
      const share = fullness({ acceptQueue: lengths[row] ?? 0, maximum: fullestMax[row] ?? 0 });
      this.sharing = { listeners, full: share };
      full = Math.max(full, share);
    }
    return full;
  }
}

/** Cells run one after the other: a request waits here for its turn, or until a failing cell before it aborts it. */
export class ShellQueue {
  private turn: Promise<unknown> = Promise.resolve();
  private readonly waiting = new Set<{ aborted: boolean }>();

  /** Calls `run` when all requests before this one are answered, or `abort` if one of them has failed. */
  enter(run: () => Promise<void>, abort: () => void): Promise<void> {
    const place = { aborted: false };
    this.waiting.add(place);
    const done = this.turn.then(() => {
      this.waiting.delete(place);
      return place.aborted ? abort() : run();
    });
    this.turn = done.catch(() => undefined);
    return done;
  }

  /** All that wait now are aborted when their turn comes. */
  abortWaiting(): void {
    for (const place of this.waiting) place.aborted = true;
  }
}

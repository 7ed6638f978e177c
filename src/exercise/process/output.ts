/** What a solution prints: passed on as it comes, counted against its bound, the last of it kept. */
import type { Readable } from "node:stream";

/** characters: what node prints when it runs out of heap: some lines and a stack */
const lastKept = 4096;

/** Stdout and stderr of the process of a solution. */
export class Output {
  private printed = 0;
  private last = "";

  /**
   * @param streams stdout and stderr
   * @param most bytes that may be printed, all streams together
   * @param print takes each text that is printed
   * @param exceeded called once: more than `most` bytes were printed
   */
  constructor(
    private readonly streams: readonly Readable[],
    private readonly most: number,
    private readonly print: (text: string) => void,
    private readonly exceeded: () => void,
  ) {
    for (const stream of streams) {
      stream.on("data", (data: Buffer) => {
        this.take(data);
      });
    }
  }

  /** The end of what was printed. */
  get lastWords(): string {
    return this.last;
  }

  /** Reads no more, and closes the streams. Idempotent. */
  close(): void {
    for (const stream of this.streams) stream.destroy();
  }

  private take(data: Buffer): void {
    const before = this.printed;
    this.printed += data.length;
    const text = data.toString("utf8");
    this.last = (this.last + text).slice(-lastKept);
    this.print(text);
    if (before > this.most || this.printed <= this.most) return;
    // read no more: a process that prints without end fills its pipe, and waits
    this.close();
    this.exceeded();
  }
}

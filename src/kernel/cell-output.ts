import type { WriteStream } from "./tslab";

/** ms between two stream messages of a cell that prints in a loop */
const pause = 50;
/** characters that are sent at once */
const block = 65_536;

/**
 * What a cell prints, gathered: a message a line would flood the frontend, and Jupyter servers cut a kernel off that
 * sends more than a thousand messages per second.
 */
export class CellOutput {
  private name: "stdout" | "stderr" = "stdout";
  private text = "";
  private sentAt = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param send writes to the frontend, as tslab does */
  constructor(private readonly send: WriteStream) {}

  /** Adds text to a stream of the cell. It is sent a little later, together with the text that follows it. */
  write(name: "stdout" | "stderr", text: string): void {
    if (name !== this.name) this.flush();
    this.name = name;
    this.text += text;
    // the clock, not only the timer: a cell that never awaits prints all the same
    if (this.text.length >= block || performance.now() - this.sentAt >= pause) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), pause).unref();
  }

  /** Sends what is gathered, before anything else is sent for this cell. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.text === "") return;
    const text = this.text;
    this.text = "";
    this.sentAt = performance.now();
    this.send(this.name, text);
  }
}

/**
 * What a program that runs for hours prints: redrawn in place on a terminal, appended elsewhere, one JSON object per
 * line if asked for.
 */
import { Repainter } from "./repaint";

/** bytes: more than this are not kept for a reader that has stopped reading */
const mostUnread = 256 * 1024;
/** ms: how long the end of the program waits for such a reader */
const patience = 1000;

/** Writes to stdout, and notices when the program that reads it has ended. */
export class LiveOutput {
  /**
   * Resolves when the reader of the output has gone, as in `watch | head -1` (EPIPE). @throws Error another failure of
   * stdout or stderr
   */
  readonly left: Promise<"left">;
  private readonly painter = new Repainter(process.stdout);

  /** @param json one object per line instead of text */
  constructor(private readonly json = false) {
    this.left = new Promise((resolve, reject) => {
      const lost = (error: NodeJS.ErrnoException) => {
        if (error.code === "EPIPE") resolve("left");
        else reject(error);
      };
      for (const stream of [process.stdout, process.stderr]) stream.on("error", lost); // an error without a listener ends the process
    });
    this.left.catch(() => undefined); // it is thrown to the caller who awaits it
  }

  private leftOut = 0;

  /**
   * Shows one state. It is left out while the reader of the output does not read. @param data for JSON @param drawn
   * lines for a terminal @param plain text elsewhere
   */
  show(data: object, drawn: () => string[], plain: () => string): void {
    if (process.stdout.writableLength > mostUnread) this.leftOut++;
    else if (this.json) process.stdout.write(`${JSON.stringify(data)}\n`);
    else if (process.stdout.isTTY) this.painter.paint(drawn());
    else process.stdout.write(`${plain()}\n`);
  }

  /** A line on stderr, apart from the output proper. */
  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** The last line. @param summary for JSON, as { summary } @param plain text elsewhere; "": none */
  end(summary: object, plain: string): void {
    if (this.json) process.stdout.write(`${JSON.stringify({ summary })}\n`);
    else if (plain) process.stdout.write(`${plain}\n`);
    if (this.leftOut > 0)
      this.note(`${this.leftOut} reports were left out, because the reader of the output did not read.`);
    if (process.stdout.writableLength > 0) setTimeout(() => this.giveUp(), patience).unref();
  }

  /** What is written and not read keeps the process alive. */
  private giveUp(): void {
    this.note("The reader of the output did not read it to its end.");
    process.exit();
  }
}

/** What a program that runs for hours prints: redrawn in place on a terminal, appended elsewhere, one JSON object per line if asked for. */
import { Repainter } from "./repaint";

/** Writes to stdout, and notices when the program that reads it has ended. */
export class LiveOutput {
  /** Resolves when the reader of the output has gone, as in `watch | head -1` (EPIPE). @throws Error another failure of stdout or stderr */
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

  /** Shows one state. @param data for JSON @param drawn lines for a terminal @param plain text elsewhere */
  show(data: object, drawn: () => string[], plain: () => string): void {
    if (this.json) process.stdout.write(`${JSON.stringify(data)}\n`);
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
  }
}

/** Drawing on a terminal in the same place again and again. */
import type { WriteStream } from "node:tty";
import { cropped } from "./text";

/** the size that is assumed if the terminal does not report one */
const usual = { columns: 80, rows: 24 };

/** The terminal's size in characters; 80 × 24 if it does not report one (TIOCGWINSZ, ioctl_tty(2)). */
export function sizeOf({ columns, rows }: WriteStream): { columns: number; rows: number } {
  return { columns: columns || usual.columns, rows: rows || usual.rows };
}

/**
 * A block of lines that each paint() draws over the one before, cut to the size of the terminal. The last row is left
 * to the cursor.
 */
export class Repainter {
  private height = 0;

  /** @param terminal where it draws; it must be a terminal, because cursor movements are written to it */
  constructor(private readonly terminal: WriteStream) {}

  /** Draws `lines` over what was painted last. */
  paint(lines: readonly string[]): void {
    const { columns, rows } = sizeOf(this.terminal);
    const fitting = lines.slice(0, Math.max(1, rows - 1)).map((line) => cropped(line, columns - 1));
    this.terminal.write(`${this.home}${fitting.map((line) => `\u001b[K${line}\n`).join("")}\u001b[J`);
    this.height = fitting.length;
  }

  /** Erases what was painted last. */
  clear(): void {
    if (this.height > 0) this.terminal.write(`${this.home}\u001b[J`);
    this.height = 0;
  }

  /** Keeps what is painted; the next paint() draws below it. */
  leave(): void {
    this.height = 0;
  }

  private get home(): string {
    return this.height > 0 ? `\u001b[${this.height}A\r` : "";
  }
}

/** The stage of a demo: frames that are redrawn in place on a terminal, a plain line a second elsewhere, nothing with --json. */
import { setTimeout as wait } from "node:timers/promises";
import { native } from "../native";
import { count, gauge, sparkline } from "../watch/screen";

export const stageWidth = 96;
export const stageHeight = 24;

/** ms between two frames, and between two plain lines */
const frameInterval = 80;
const lineInterval = 1000;

const colours = { blue: 34, yellow: 33, green: 32, red: 31, grey: 90, bold: 1 } as const;
export type Colour = keyof typeof colours;

/** A bar with a number: "accept queue      129 of 129  ██████░░░░". */
export interface Level {
  name: string;
  value: number;
  /** full bar; shown as "of" */
  of: number;
  colour: Colour;
  /** say "of" in words */
  limit?: boolean;
}

export interface StageOptions {
  mode: "terminal" | "lines" | "silent";
  colour: boolean;
  write: (text: string) => void;
}

export class Stage {
  private drawn = 0;
  private lastFrame = -Infinity;
  private lastLine = -Infinity;
  private heading = "";
  private since = native.now();
  private history: number[] = [];
  aborted = false;

  constructor(private readonly options: StageOptions) {}

  /** A new act: its heading stays on top. */
  act(heading: string): void {
    this.heading = heading;
    this.since = native.now();
    this.history = [];
    if (this.options.mode === "lines") this.options.write(`\n${heading}\n`);
  }

  /** Shows levels now and keeps a curve of the first one. Cheap to call often. */
  show(levels: readonly Level[], note = ""): void {
    const now = native.now();
    if (now - this.lastFrame < frameInterval) return;
    this.lastFrame = now;
    this.history.push(levels[0]?.value ?? 0);
    if (this.options.mode === "terminal") this.draw(this.frame(levels, note));
    if (this.options.mode === "lines" && now - this.lastLine >= lineInterval) {
      this.lastLine = now;
      this.options.write(`  ${((now - this.since) / 1000).toFixed(1)} s  ${levels.map(({ name, value, of, limit }) => `${name} ${count(value)}${limit ? ` of ${count(of)}` : ""}`).join(", ")}\n`);
    }
  }

  /** Calls `levels` until `over` holds or `ms` have gone by, and shows them. @returns whether it held */
  async follow(levels: () => readonly Level[], ms: number, over: () => boolean = () => false, note = ""): Promise<boolean> {
    const end = native.now() + ms;
    for (;;) {
      this.show(levels(), note);
      if (over()) return true;
      if (this.aborted || native.now() >= end) return false;
      await wait(20);
    }
  }

  /** The words at the end of an act; they stay. */
  tell(lines: readonly string[]): void {
    const { mode, write } = this.options;
    if (mode === "silent") return;
    const text = lines.flatMap((line) => wrapped(line, stageWidth - 4));
    write(`${mode === "terminal" ? "\n" : ""}${text.map((line) => `  ${line}`).join("\n")}\n\n`);
    this.drawn = 0;
  }

  /** Lines of one picture, at most 100 x 24. */
  frame(levels: readonly Level[], note: string): string[] {
    const nameWidth = Math.max(...levels.map(({ name }) => name.length)) + 2;
    const numbers = levels.map(({ value, of, limit }) => `${count(value)}${limit ? ` of ${count(of)}` : ""}`);
    // as wide as it can become, so that the bars stand still
    const numberWidth = Math.max(...levels.map(({ of, value, limit }) => (limit ? `${count(of)} of ${count(of)}` : count(Math.max(value, of))).length));
    const room = stageWidth - nameWidth - numberWidth - 6;
    const curve = this.history.slice(-room);
    const time = `${((native.now() - this.since) / 1000).toFixed(1)} s`;
    return [
      `${this.paint("bold", this.heading)}${" ".repeat(Math.max(1, stageWidth - this.heading.length - time.length - 2))}${this.paint("grey", time)}`,
      "",
      ...levels.flatMap(({ name, value, of, colour }, at) => {
        const bar = `  ${name.padEnd(nameWidth)}${this.paint("bold", numbers[at].padStart(numberWidth))}  ${this.paint(colour, gauge(of > 0 ? value / of : 0, room))}`;
        return [bar, ...(at < levels.length - 1 ? [""] : [])];
      }),
      "",
      `  ${" ".repeat(nameWidth + numberWidth)}  ${this.paint(levels[0].colour, sparkline(curve))}`,
      `  ${" ".repeat(nameWidth + numberWidth)}  ${this.paint("grey", `${levels[0].name}, up to ${count(Math.max(...curve, 0))}`)}`,
      "",
      `  ${note}`,
    ];
  }

  private draw(lines: readonly string[]): void {
    const { write } = this.options;
    write(`${this.drawn > 0 ? `\u001b[${this.drawn}A` : ""}${lines.map((line) => `\u001b[K${line}\n`).join("")}\u001b[J`);
    this.drawn = lines.length;
  }

  private paint(colour: Colour, text: string): string {
    return this.options.colour ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text;
  }
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line];
}

/** Where a demo draws: redrawn in place on a terminal, a few plain lines elsewhere, nothing where only the numbers are wanted. */
import os from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { InterruptedError } from "../errors";
import { native } from "../native";
import { Repainter, sizeOf } from "../terminal/repaint";
import { wrap } from "../terminal/text";
import type { Outcome } from "./outcome";
import { drawPanel, now, type Panel } from "./panel";

/** "terminal": a panel that is redrawn in place. "lines": plain lines. "silent": nothing. */
export type StageKind = "terminal" | "lines" | "silent";

/** How a Stage draws. */
export interface StageOptions {
  /** where it draws */
  kind: StageKind;
  /** ANSI colours; default false */
  colour?: boolean;
  /** wait for Enter between the parts of a demo; default false */
  pause?: boolean;
}

/** ms between two pictures */
const frame = 80;
/** characters of a line where there is no terminal */
const lineWidth = 100;
/** values of each meter that its sparkline may draw */
const mostRemembered = 200;
const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";

/** Draws the panels and captions of the demos, and ends their waits when the reader stops them. */
export class Stage {
  private readonly painter = new Repainter(process.stdout);
  private caption: readonly string[] = [];
  private last?: Panel;
  private readonly history = new Map<string, number[]>();
  private isStopped = false;
  private entered = false;
  private readonly onKey = (key: Buffer) => {
    if (key.includes(3))
      this.stop(); // Ctrl-C is a character like any other in raw mode
    else if (key.includes(13) || key.includes(10)) this.entered = true;
  };
  private readonly onExit = () => void process.stdout.write(showCursor);

  constructor(private readonly options: StageOptions) {}

  /** Takes the terminal: keys are not echoed into the picture, the cursor is hidden. */
  open(): void {
    if (this.options.kind !== "terminal") return;
    process.stdout.write(hideCursor);
    process.once("exit", this.onExit);
    if (process.stdin.isTTY) process.stdin.setRawMode(true).on("data", this.onKey).resume();
  }

  /** Gives the terminal back. */
  close(): void {
    if (this.options.kind !== "terminal") return;
    process.off("exit", this.onExit);
    process.stdout.write(showCursor);
    if (process.stdin.isTTY) process.stdin.off("data", this.onKey).pause().setRawMode(false);
  }

  /** From now on every wait of the demo ends with an InterruptedError. */
  stop(): void {
    this.isStopped = true;
  }

  /** Whether stop() has been called. */
  get stopped(): boolean {
    return this.isStopped;
  }

  /** Starts a new picture below the last one, with empty sparklines. */
  begin(): void {
    this.painter.leave();
    this.last = undefined;
    this.renew();
  }

  /** Starts the next part in the same place, with empty sparklines. */
  renew(): void {
    this.history.clear();
  }

  /** Says what happens now: below the meters, or as a line of its own. */
  say(text: string): void {
    this.caption = [now + text];
    if (this.options.kind === "lines") process.stdout.write(`${wrap(text, lineWidth).join("\n")}\n`);
    else if (this.last) this.redraw(this.last);
  }

  /** Ends a demo: its last picture and its result. @param notebook "04 · Backlog overflow" */
  conclude(panel: Panel, { result, kernel }: Outcome, notebook: string): void {
    this.caption = [result.join(" "), `Decided by ${kernel}. Read on: notebook ${notebook.slice(0, 2)}.`];
    if (this.options.kind === "lines")
      process.stdout.write(`${this.caption.flatMap((text) => wrap(text, lineWidth)).join("\n")}\n`);
    else this.redraw(panel);
  }

  /** Draws what `look` gives until `until` holds or `ms` are over. @param look gets the ms since the start @throws InterruptedError */
  async watch(
    look: (elapsed: number) => Panel,
    { ms = Infinity, until = () => false }: { ms?: number; until?: () => boolean } = {},
  ): Promise<void> {
    const start = native.now();
    for (;;) {
      if (this.isStopped) throw new InterruptedError("The demo");
      const elapsed = native.now() - start;
      const over = until() || elapsed >= ms;
      this.show(look(Math.min(elapsed, ms)));
      if (over) return;
      await wait(Math.max(1, Math.min(frame, ms - elapsed)));
    }
  }

  /** Shows a picture for `ms`, on a terminal only. @param look gets the ms since the start @throws InterruptedError */
  async hold(look: (elapsed: number) => Panel, ms: number): Promise<void> {
    if (this.options.kind === "terminal") await this.watch(look, { ms });
  }

  /** Draws while `work` runs. @returns its result; undefined if it has not ended within `ms` @throws InterruptedError; what `work` throws */
  during<T>(work: Promise<T>, look: () => Panel): Promise<T>;
  /** The same for `ms` at most. */
  during<T>(work: Promise<T>, look: () => Panel, ms: number): Promise<T | undefined>;
  async during<T>(work: Promise<T>, look: () => Panel, ms = Infinity): Promise<T | undefined> {
    const seen = { ended: false };
    const end = () => (seen.ended = true);
    void work.then(end, end);
    await this.watch(look, { ms, until: () => seen.ended });
    return seen.ended ? work : undefined;
  }

  /** With --pause: draws until Enter is pressed. @param next the question that is shown @throws InterruptedError */
  async curtain(next: string, look: () => Panel): Promise<void> {
    if (!this.options.pause) return;
    this.say(`${next} Press Enter.`);
    await this.watch(look, { until: this.nextEnter() });
  }

  /** With --pause: waits for Enter below the last picture of a demo, before the next one. @throws InterruptedError */
  async intermission(): Promise<void> {
    if (!this.options.pause || !this.last) return;
    const { last } = this;
    this.caption = [...this.caption.slice(0, -1), `${this.caption.at(-1) ?? ""} Press Enter.`];
    this.redraw(last);
    const entered = this.nextEnter();
    while (!entered()) {
      if (this.isStopped) throw new InterruptedError("The demo");
      await wait(frame);
    }
  }

  /** Whether Enter has been pressed since now. */
  private nextEnter(): () => boolean {
    this.entered = false;
    return () => this.entered;
  }

  private show(panel: Panel): void {
    if (this.options.kind !== "terminal") return;
    for (const { label, value } of panel.meters) {
      const past = this.history.get(label) ?? [];
      past.push(value);
      this.history.set(label, past.slice(-mostRemembered));
    }
    this.redraw(panel);
  }

  private redraw(panel: Panel): void {
    this.last = panel;
    if (this.options.kind !== "terminal") return;
    const { colour = false } = this.options;
    const drawn = { colour, history: this.history, below: this.caption, corner: `Linux ${os.release()}` };
    this.painter.paint(drawPanel(panel, { ...sizeOf(process.stdout), ...drawn }));
  }
}

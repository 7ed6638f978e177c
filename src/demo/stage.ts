/** Where a demo shows itself: redrawn in place on a terminal, a few plain lines elsewhere, nothing at all where only the numbers are wanted. */
import os from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { InterruptedError } from "../errors";
import { native } from "../native";
import { Repainter, sizeOf } from "../terminal/repaint";
import { wrap } from "../terminal/text";
import type { Outcome } from "./outcome";
import { drawPanel, now, type Panel } from "./panel";

export type StageKind = "terminal" | "lines" | "silent";

export interface StageOptions {
  kind: StageKind;
  colour?: boolean;
  /** wait for Enter where a demo says so */
  pause?: boolean;
}

/** ms between two pictures */
const frame = 80;
/** characters of a line where there is no terminal */
const lineWidth = 100;
/** values of each meter that are kept for its past */
const mostRemembered = 200;
const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";

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

  /** Every wait of the demo ends with an InterruptedError from now on. */
  stop(): void {
    this.isStopped = true;
  }

  get stopped(): boolean {
    return this.isStopped;
  }

  /** A new picture below the last one; pasts are forgotten. */
  begin(): void {
    this.painter.leave();
    this.last = undefined;
    this.renew();
  }

  /** The next part in the same place: pasts are forgotten. */
  renew(): void {
    this.history.clear();
  }

  /** What happens now: below the meters, or a line of its own. */
  say(text: string): void {
    this.caption = [now + text];
    if (this.options.kind === "lines") process.stdout.write(`${wrap(text, lineWidth).join("\n")}\n`);
    else if (this.last) this.redraw(this.last);
  }

  /** The end of a demo: its last picture and what came out. */
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

  /** Stays with a picture for so long, on a terminal: where nobody watches there is nothing to wait for. */
  async hold(look: (elapsed: number) => Panel, ms: number): Promise<void> {
    if (this.options.kind === "terminal") await this.watch(look, { ms });
  }

  /** Draws while `work` goes on, and gives its result; undefined if it has not ended within `ms`. @throws InterruptedError, and what `work` throws */
  during<T>(work: Promise<T>, look: () => Panel): Promise<T>;
  during<T>(work: Promise<T>, look: () => Panel, ms: number): Promise<T | undefined>;
  async during<T>(work: Promise<T>, look: () => Panel, ms = Infinity): Promise<T | undefined> {
    let done = false;
    work.then(
      () => (done = true),
      () => (done = true),
    );
    await this.watch(look, { ms, until: () => done });
    return done ? work : undefined;
  }

  /** With --pause: goes on drawing until Enter is pressed. */
  async curtain(next: string, look: () => Panel): Promise<void> {
    if (!this.options.pause) return;
    this.say(`${next} Press Enter.`);
    this.entered = false;
    await this.watch(look, { until: () => this.entered });
  }

  /** With --pause: waits for Enter below the last picture of a demo, before the next one. @throws InterruptedError */
  async intermission(): Promise<void> {
    if (!this.options.pause || !this.last) return;
    const { last } = this;
    this.caption = [...this.caption.slice(0, -1), `${this.caption.at(-1) ?? ""} Press Enter.`];
    this.entered = false;
    this.redraw(last);
    while (!this.entered) {
      if (this.isStopped) throw new InterruptedError("The demo");
      await wait(frame);
    }
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
